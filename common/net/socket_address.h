#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/net/ip_address.h"

namespace meshdns {

/// An address and a port: "10.0.0.1:53", "[fd00::1]:53". A link-local address has the interface that it is valid on:
/// "[fe80::1%eth0]:53".
struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;
  std::uint32_t interface = 0;  // index; 0 = any

  static Result<SocketAddress> parse(std::string_view text);
  std::string text() const;

  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

}  // namespace meshdns
