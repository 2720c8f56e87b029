#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::wire {

/// The EDNS Client Subnet option of a request (RFC 7871 6), checked.
struct ClientSubnet {
  bool present = false;
  std::uint8_t family = 0;               // 1 = IPv4, 2 = IPv6
  std::uint8_t source = 0;               // prefix length in bits; 0 = the client asks not to use its subnet
  std::array<std::uint8_t, 16> address;  // the first address_size() bytes count, the others are zero

  std::uint8_t address_size() const noexcept { return static_cast<std::uint8_t>((source + 7U) / 8U); }
};

/// The COOKIE option of a request (RFC 7873 4), of a valid length.
struct RequestCookie {
  std::uint8_t size = 0;                            // 8, or 16 to 40 with a server cookie
  std::array<std::uint8_t, kFullCookieSize> bytes;  // the first bytes of the option; the rest is zero
};

/// Options, besides the client subnet, that a request may have: bits of Edns::asks.
inline constexpr std::uint8_t kAsksNsid = 1;
inline constexpr std::uint8_t kAsksCookie = 2;
inline constexpr std::uint8_t kAsksKeepalive = 4;
inline constexpr std::uint8_t kAsksZoneVersion = 8;

/// The OPT record of a request (RFC 6891 6.1.2). Unknown options and flags are ignored.
struct Edns {
  bool present = false;
  bool dnssec_ok = false;
  std::uint8_t version = 0;    // options are read for version 0 only
  std::uint8_t asks = 0;       // bits kAsks...
  std::uint16_t udp_size = 0;  // as stated by the client
  ClientSubnet subnet;
  RequestCookie cookie;  // valid if `asks` has kAsksCookie
};

/// Returns the largest UDP answer that the sender of a request gets. A sender that states less than 512 bytes gets 512
/// (RFC 6891 6.2.3).
inline std::size_t udp_limit(const Edns& edns) noexcept {
  if (!edns.present) return kMinUdpAnswer;
  return std::clamp<std::size_t>(edns.udp_size, kMinUdpAnswer, kMaxUdpAnswer);
}

/// A parsed request. It has a fixed size and does not refer to the packet. read_query() overwrites all fields, so that
/// an object can be used again for the next packet.
struct Query {
  Opcode opcode = Opcode::Query;
  bool recursion_desired = false;
  std::uint16_t size = 0;                    // bytes of the packet
  std::uint16_t question_end = kHeaderSize;  // offset after the question; kHeaderSize = no question could be read
  FoldedName name;
  Type type{};
  Class qclass{};
  Edns edns;

  bool has_question() const noexcept { return question_end > kHeaderSize; }
};

/// The kind of a packet. Only Ok allows to answer from `type`, `name` and `edns`. For Malformed, `question_end` and
/// `edns.present` still tell what an error can echo.
enum class Reading : std::uint8_t {
  Ok,
  TooShort,    // no header: drop
  Response,    // QR=1: drop, otherwise two servers could answer each other forever
  Malformed,   // FORMERR
  NoQuestion,  // only a COOKIE option: the client wants a server cookie (RFC 7873 5.4); `edns` is valid
};

/// Parses a request: header, one question, OPT record. With an opcode other than QUERY, a packet is Ok as soon as it
/// has a header, with as much of question and OPT as could be read.
/// packet:  at most kMaxMessage bytes
/// source:  RFC 1035 4.1, RFC 6891 6.1, RFC 7871 6, RFC 7873 5.2, RFC 9660 3, RFC 9619 (one question)
Reading read_query(std::span<const std::uint8_t> packet, Query& out) noexcept;

}  // namespace meshdns::wire
