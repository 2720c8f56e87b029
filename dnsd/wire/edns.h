#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dnsd/wire/message.h"
#include "dnsd/wire/writer.h"

namespace meshdns::wire {

/// A zone's version of type SOA-SERIAL (RFC 9660 2.1).
struct ZoneVersion {
  std::uint8_t labels;  // number of labels in the zone's name; 0 for the root
  std::uint32_t serial;
};

/// Replies to options that few clients send. Only fields whose bits are set in `present` are set and read, so that the
/// other fields cost nothing.
struct OptionReplies {
  OptionReplies() noexcept {}  // leaves all other fields uninitialised

  std::uint8_t present = 0;                          // bits kAsks...
  std::string_view nsid;                             // RFC 5001
  std::array<std::uint8_t, kFullCookieSize> cookie;  // RFC 7873
  std::uint16_t keepalive;                           // in units of 100 ms (RFC 7828)
  ZoneVersion version;
};

inline constexpr std::size_t kZoneVersionSize = 10;  // bytes of the whole option

/// The content of an answer's OPT record. References must outlive this.
struct EdnsReply {
  Rcode rcode = Rcode::NoError;          // the upper bits are in the OPT record
  bool dnssec_ok = false;                // the request's DO bit (RFC 3225 3)
  const ClientSubnet* subnet = nullptr;  // echoed with `scope`; null = the answer has no such option
  std::uint8_t scope = 0;                // RFC 7871 7.2.1
  std::optional<Ede> ede;
  std::string_view ede_text;               // left out if there is no room
  const OptionReplies* options = nullptr;  // null = there are none
};

/// Returns the size of the OPT record without EDE text. Earlier sections must leave so many bytes.
std::size_t edns_size(const EdnsReply& reply) noexcept;

/// Appends the OPT record.
/// requires: edns_size() bytes of room; otherwise the writer fails
/// source: RFC 6891 6.1.2, RFC 5001 2.3, RFC 7828 3.1, RFC 7871 6, RFC 7873 4, RFC 8914 2, RFC 9660 2
void write_edns(Writer& writer, const EdnsReply& reply) noexcept;

}  // namespace meshdns::wire
