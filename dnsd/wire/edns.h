#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dnsd/wire/message.h"
#include "dnsd/wire/writer.h"

namespace meshdns::wire {

/// RFC 9660 2.1, of type SOA-SERIAL
struct ZoneVersion {
  std::uint8_t labels;  // of the zone's name; the root has none
  std::uint32_t serial;
};

/// Options of an answer that few clients ask for. Only what `present` names is set and read: the others cost nothing.
struct OptionReplies {
  OptionReplies() noexcept {}  // leaves the rest as it is

  std::uint8_t present = 0;                          // kAsks...
  std::string_view nsid;                             // RFC 5001
  std::array<std::uint8_t, kFullCookieSize> cookie;  // RFC 7873
  std::uint16_t keepalive;                           // RFC 7828: 100 ms each
  ZoneVersion version;
};

inline constexpr std::size_t kZoneVersionSize = 10;  // of the whole option

/// What the OPT record of an answer says.
struct EdnsReply {
  Rcode rcode = Rcode::NoError;          // its upper bits go here
  bool dnssec_ok = false;                // DO copied (RFC 3225 3)
  const ClientSubnet* subnet = nullptr;  // echoed with `scope`; null = no such option in the answer
  std::uint8_t scope = 0;                // RFC 7871 7.2.1
  std::optional<Ede> ede;
  std::string_view ede_text;               // left out if it does not fit
  const OptionReplies* options = nullptr;  // null = none of them
};

/// The size of the record without EDE text: what a writer of the sections before must hold back.
std::size_t edns_size(const EdnsReply& reply) noexcept;

/// Appends the record; needs edns_size() bytes of room, else the writer fails.
/// source: RFC 6891 6.1.2, RFC 5001 2.3, RFC 7828 3.1, RFC 7871 6, RFC 7873 4, RFC 8914 2, RFC 9660 2
void write_edns(Writer& writer, const EdnsReply& reply) noexcept;

}  // namespace meshdns::wire
