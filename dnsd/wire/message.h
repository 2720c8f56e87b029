#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::wire {

/// EDNS Client Subnet of a request (RFC 7871 6), checked.
struct ClientSubnet {
  bool present = false;
  std::uint8_t family = 0;               // 1 = IPv4, 2 = IPv6
  std::uint8_t source = 0;               // prefix length in bits; 0 = the client wants no use of it
  std::array<std::uint8_t, 16> address;  // the first (source + 7) / 8 bytes count, the others are zero

  std::uint8_t address_size() const noexcept { return static_cast<std::uint8_t>((source + 7U) / 8U); }
};

/// The COOKIE option of a request (RFC 7873 4), of a length that is allowed.
struct RequestCookie {
  std::uint8_t size = 0;                            // 8, or 16 to 40 with a server cookie
  std::array<std::uint8_t, kFullCookieSize> bytes;  // as many of the first as there are; the others are zero
};

/// Options, besides the client subnet, that a request has: bits of Edns::asks.
inline constexpr std::uint8_t kAsksNsid = 1;
inline constexpr std::uint8_t kAsksCookie = 2;
inline constexpr std::uint8_t kAsksKeepalive = 4;
inline constexpr std::uint8_t kAsksZoneVersion = 8;

/// The OPT record of a request (RFC 6891 6.1.2). Unknown options and flags are ignored.
struct Edns {
  bool present = false;
  bool dnssec_ok = false;
  std::uint8_t version = 0;    // options are read for version 0 only
  std::uint8_t asks = 0;       // kAsks...
  std::uint16_t udp_size = 0;  // as stated by the client
  ClientSubnet subnet;
  RequestCookie cookie;  // with kAsksCookie
};

/// How large an answer over UDP its sender takes from us: one that states less than 512 takes 512 (RFC 6891 6.2.3).
inline std::size_t udp_limit(const Edns& edns) noexcept {
  if (!edns.present) return kMinUdpAnswer;
  return std::clamp<std::size_t>(edns.udp_size, kMinUdpAnswer, kMaxUdpAnswer);
}

/// A request, read. Fixed size, nothing points into the packet. Each read_query() begins with a clean one.
struct Query {
  Opcode opcode = Opcode::Query;
  bool recursion_desired = false;
  std::uint16_t size = 0;                    // of the packet
  std::uint16_t question_end = kHeaderSize;  // behind the one question; kHeaderSize = none could be read
  FoldedName name;
  Type type{};
  Class qclass{};
  Edns edns;

  bool has_question() const noexcept { return question_end > kHeaderSize; }
};

/// What the packet is. Only Ok lets `type`, `name` and `edns` be used for an answer; for Malformed `question_end`
/// and `edns.present` still say what can be echoed.
enum class Reading : std::uint8_t {
  Ok,
  TooShort,    // no header: drop
  Response,    // QR=1: drop, or two servers could talk to each other forever
  Malformed,   // FORMERR
  NoQuestion,  // nothing but a COOKIE option: a server cookie is asked for (RFC 7873 5.4); `edns` may be used
};

/// Reads a request: header, one question, OPT. Opcodes other than QUERY are Ok as soon as there is a header, with what
/// could be read of their question and OPT.
/// packet:  at most kMaxMessage bytes
/// source:  RFC 1035 4.1, RFC 6891 6.1, RFC 7871 6, RFC 7873 5.2, RFC 9660 3, RFC 9619 (one question); strictness: the
/// table of packets
Reading read_query(std::span<const std::uint8_t> packet, Query& out) noexcept;

}  // namespace meshdns::wire
