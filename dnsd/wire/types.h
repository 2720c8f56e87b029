#pragma once

#include <cstddef>
#include <cstdint>

namespace meshdns::wire {

/// The record types that the server knows, QTYPEs included. Any other 16-bit value is valid, too (RFC 3597).
enum class Type : std::uint16_t {
  A = 1,
  NS = 2,
  CNAME = 5,
  SOA = 6,
  PTR = 12,
  HINFO = 13,
  MX = 15,
  TXT = 16,
  AAAA = 28,
  SRV = 33,
  OPT = 41,
  SVCB = 64,
  HTTPS = 65,
  TSIG = 250,
  IXFR = 251,
  AXFR = 252,
  ANY = 255,
  CAA = 257,
};

/// Record classes.
enum class Class : std::uint16_t { IN = 1, CH = 3, NONE = 254, ANY = 255 };

/// Opcodes of a header.
enum class Opcode : std::uint8_t { Query = 0, IQuery = 1, Status = 2, Notify = 4, Update = 5, Dso = 6 };

/// Response codes with the extended ones of RFC 6891, whose upper eight bits are in the OPT record.
enum class Rcode : std::uint16_t {
  NoError = 0,
  FormErr = 1,
  ServFail = 2,
  NxDomain = 3,
  NotImp = 4,
  Refused = 5,
  NotAuth = 9,
  BadVers = 16,
  BadCookie = 23,
};

/// EDNS option codes.
enum class Option : std::uint16_t {
  Nsid = 3,
  ClientSubnet = 8,
  Cookie = 10,
  TcpKeepalive = 11,
  ExtendedError = 15,
  ZoneVersion = 19,
};

/// SvcParamKeys (RFC 9460 14.3.2).
enum class SvcParam : std::uint16_t { Port = 3, Ipv4Hint = 4, Ipv6Hint = 6 };

/// INFO-CODEs of RFC 8914 that the server sends.
enum class Ede : std::uint16_t { Other = 0, StaleAnswer = 3, NotReady = 14, Prohibited = 18, NotAuthoritative = 20 };

inline constexpr std::size_t kOptSize = 11;  // bytes of an OPT record without options (RFC 6891 6.1.2)
inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kMaxName = 255;         // RFC 1035 2.3.4, with the root's zero byte
inline constexpr std::size_t kMaxLabel = 63;         // RFC 1035 2.3.4
inline constexpr std::size_t kMaxMessage = 65535;    // limit of TCP's length field
inline constexpr std::size_t kMaxUdpAnswer = 1232;   // RFC 9715: never fragmented
inline constexpr std::size_t kMinUdpAnswer = 512;    // RFC 1035 4.2.1
inline constexpr std::size_t kClientCookieSize = 8;  // RFC 7873 4
inline constexpr std::size_t kFullCookieSize = 24;   // with our server cookie (RFC 9018 4)

}  // namespace meshdns::wire
