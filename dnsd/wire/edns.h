#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dnsd/wire/message.h"
#include "dnsd/wire/writer.h"

namespace meshdns::wire {

/// What the OPT record of an answer says.
struct EdnsReply {
  Rcode rcode = Rcode::NoError;          // its upper bits go here
  bool dnssec_ok = false;                // DO copied (RFC 3225 3)
  const ClientSubnet* subnet = nullptr;  // echoed with `scope`; null = no such option in the answer
  std::uint8_t scope = 0;                // RFC 7871 7.2.1
  std::optional<Ede> ede;
  std::string_view ede_text;  // left out if it does not fit
};

/// The size of the record without EDE text: what a writer of the sections before must hold back.
std::size_t edns_size(const EdnsReply& reply) noexcept;

/// Appends the record; needs edns_size() bytes of room, else the writer fails.
/// source: RFC 6891 6.1.2, RFC 7871 6, RFC 8914 2
void write_edns(Writer& writer, const EdnsReply& reply) noexcept;

}  // namespace meshdns::wire
