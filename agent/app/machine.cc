#include "agent/app/machine.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/net/socket_address.h"

namespace meshdns::app {
namespace {

constexpr std::uint16_t kAnyPort = 7400;

std::string first_line(const char* path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return std::string(trim(line));
}

std::string short_hostname() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "localhost";
  const std::string_view whole = buffer.data();
  return ascii_lower(whole.substr(0, whole.find('.')));
}

socklen_t fill(sockaddr_storage& out, const IpAddress& ip) {
  const auto bytes = ip.bytes();
  if (ip.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(kAnyPort);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(kAnyPort);
  std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

IpAddress ip_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    return IpAddress::v4(ntohl(v4.sin_addr.s_addr));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &storage, sizeof v6);
  return IpAddress::v6_bytes(std::span<const std::uint8_t, 16>(v6.sin6_addr.s6_addr));
}

IpAddress known(std::string_view text) {
  const auto address = IpAddress::parse(text);
  MESHDNS_CHECK(address.has_value());
  return *address;
}

}  // namespace

Machine this_machine() {
  Machine out{short_hostname(), first_line("/etc/machine-id"), first_line("/proc/sys/kernel/random/boot_id")};
  if (out.machine_id.empty()) out.machine_id = out.name;
  return out;
}

std::vector<IpAddress> address_towards(const IpAddress& to) {
  sockaddr_storage storage{};
  socklen_t size = fill(storage, to);
  const int descriptor = ::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return {};
  const bool found = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
  size = sizeof storage;
  const bool named = found && ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) == 0;
  ::close(descriptor);
  if (!named) return {};
  return {ip_of(storage)};
}

std::vector<IpAddress> routed_addresses(const std::vector<std::string>& servers) {
  std::vector<IpAddress> out;
  for (const auto& server : servers) {
    const auto address = SocketAddress::parse(server);
    if (!address || address->ip.is_loopback()) continue;
    for (const auto& local : address_towards(address->ip)) {
      if (!local.is_loopback() && std::ranges::find(out, local) == out.end()) out.push_back(local);
    }
  }
  // Addresses for documentation (RFC 5737, RFC 3849): nobody has a route of their own to them.
  if (out.empty()) out = address_towards(known("192.0.2.1"));
  if (out.empty()) out = address_towards(known("2001:db8::1"));
  if (out.empty()) out = {known("127.0.0.1")};
  return out;
}

}  // namespace meshdns::app
