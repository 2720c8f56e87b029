#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "common/net/socket_address.h"

namespace meshdns {

/// An address in the kernel's form.
struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  static KernelAddress of(const SocketAddress& address);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// Returns the address, without the port; 0.0.0.0 for other families than IPv4 and IPv6.
IpAddress address_of(const sockaddr_storage& storage) noexcept;
/// Returns the port; 0 for other families.
std::uint16_t port_of(const sockaddr_storage& storage) noexcept;

}  // namespace meshdns
