#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/net/ip_address.h"

namespace meshdns {

/// An address and a port: "10.0.0.1:53", "[fd00::1]:53".
struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  static Result<SocketAddress> parse(std::string_view text);
  std::string text() const;

  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

}  // namespace meshdns
