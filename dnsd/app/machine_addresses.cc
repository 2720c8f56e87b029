#include "dnsd/app/machine_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "common/net/kernel_address.h"

namespace meshdns::dnsd::app {

std::vector<IpAddress> machine_addresses() {
  std::vector<IpAddress> routable;
  std::vector<IpAddress> loopback;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    const int family = at->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, at->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const IpAddress address = address_of(storage);
    if (!address.is_v6_link_local()) (address.is_loopback() ? loopback : routable).push_back(address);
  }
  ::freeifaddrs(list);
  return routable.empty() ? loopback : routable;
}

}  // namespace meshdns::dnsd::app
