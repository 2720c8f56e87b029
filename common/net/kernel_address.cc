#include "common/net/kernel_address.h"

#include <netinet/in.h>

#include <cstring>
#include <span>

namespace meshdns {

KernelAddress KernelAddress::of(const SocketAddress& address) {
  KernelAddress out;
  const auto bytes = address.ip.bytes();
  if (address.ip.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    out.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    v6.sin6_scope_id = address.interface;
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    out.size = sizeof v6;
  }
  return out;
}

IpAddress address_of(const sockaddr_storage& storage) noexcept {
  if (storage.ss_family == AF_INET) {
    return IpAddress::v4(ntohl(reinterpret_cast<const sockaddr_in&>(storage).sin_addr.s_addr));
  }
  if (storage.ss_family != AF_INET6) return {};
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  return IpAddress::v6_bytes(std::span<const std::uint8_t, 16>(v6.sin6_addr.s6_addr));
}

std::uint16_t port_of(const sockaddr_storage& storage) noexcept {
  if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
  return 0;
}

}  // namespace meshdns
