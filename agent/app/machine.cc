#include "agent/app/machine.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "common/base/check.h"
#include "common/base/machine_name.h"
#include "common/base/text.h"
#include "common/model/endpoint.h"
#include "common/net/kernel_address.h"

namespace meshdns::agent::app {
namespace {

constexpr std::uint16_t kAnyPort = 7400;
constexpr int kAddressPreferences = 72;  // IPV6_ADDR_PREFERENCES and IPV6_PREFER_SRC_PUBLIC of <linux/in6.h>, which
constexpr int kPublicSource = 2;         // cannot be included beside <netinet/in.h> (RFC 5014)

std::string first_line(const char* path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return std::string(trim(line));
}

std::string short_hostname() {
  const std::string name = machine_name().value_or("localhost");
  const std::string_view whole = name;
  if (IpAddress::parse(whole)) return std::string(whole);
  return ascii_lower(whole.substr(0, whole.find('.')));
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
  const auto address = KernelAddress::of({to, kAnyPort});
  const int descriptor = ::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return {};
  if (!to.is_v4()) {
    // Ask for the public address: the temporary one changes every day (RFC 8981). If the kernel refuses, any will do.
    static_cast<void>(
        ::setsockopt(descriptor, IPPROTO_IPV6, kAddressPreferences, &kPublicSource, sizeof kPublicSource));
  }
  const bool found = ::connect(descriptor, address.get(), address.size) == 0;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const bool named = found && ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) == 0;
  ::close(descriptor);
  if (!named) return {};
  return {address_of(storage)};
}

bool is_reachable_from_afar(const IpAddress& address) {
  const auto bytes = address.bytes();
  const bool link_local = address.is_v4() ? bytes[0] == 169 && bytes[1] == 254              // RFC 3927
                                          : bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;  // RFC 4291 2.5.6
  return !link_local && !address.is_loopback() && !address.is_unspecified();
}

std::vector<IpAddress> routed_addresses(const std::optional<IpAddress>& federation) {
  const bool here = !federation || federation->is_loopback();
  std::vector<IpAddress> towards;
  if (!here) towards = address_towards(*federation);
  // Addresses for documentation (RFC 5737, RFC 3849): no machine has a special route to them, so the default route is
  // chosen.
  for (const char* afar : {"192.0.2.1", "2001:db8::1"}) {
    for (const IpAddress& address : address_towards(known(afar))) towards.push_back(address);
  }
  std::erase_if(towards, [](const IpAddress& address) { return !is_reachable_from_afar(address); });
  std::vector<IpAddress> out = model::first_of_each_family(towards);
  std::ranges::sort(out, {}, &IpAddress::family);
  if (out.empty() && here) out = {known("127.0.0.1")};
  return out;
}

std::string texts_of(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> out;
  for (const IpAddress& address : addresses) out.push_back(address.text());
  return join(out, ",");
}

std::optional<IpAddress> address_of_server(const std::string& server) {
  const auto address = SocketAddress::parse(server);
  return address ? std::optional(address->ip) : std::nullopt;
}

std::string node_name_problem(std::string_view name) {
  static constexpr std::string_view kHint = ": give the node a name of its own, like n1";
  const auto whole = [](std::string_view text) { return "\"" + std::string(text) + "\""; };
  if (name.empty()) return "is empty" + std::string(kHint);
  if (ascii_lower(name).starts_with("localhost")) return whole(name) + " means every machine" + std::string(kHint);
  if (name.ends_with('.')) return whole(name) + " ends with a dot" + std::string(kHint);
  const bool digits = std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (digits || IpAddress::parse(name)) {
    return whole(name) + " is an address or a part of one, not a name" + std::string(kHint);
  }
  return {};
}

}  // namespace meshdns::agent::app
