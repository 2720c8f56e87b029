#include "agent/discovery/container_reach.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"

namespace meshdns::discovery {
namespace {

using Addresses = std::vector<IpAddress>;

Error impossible(std::string why) { return {Code::FailedPrecondition, std::move(why)}; }

/// Returns the addresses of the node at which a port is published that way; none = no other node can connect there.
Addresses addresses_of(const Published& published, const Addresses& node) {
  if (!published.address) return node;
  const IpAddress& address = *published.address;
  Addresses out;
  if (address.is_unspecified()) {
    std::ranges::copy_if(node, std::back_inserter(out),
                         [&](const IpAddress& each) { return each.family() == address.family(); });
    return out;
  }
  // an agent on loopback, as in a trial on one machine, may report what is there
  const bool is_here = std::ranges::find(node, address) != node.end();
  if (!address.is_loopback() || is_here) out.push_back(address);
  return out;
}

/// The addresses of a port and its number there. An endpoint has one number for a port at all its addresses: if IPv4
/// and IPv6 have different ones, which Docker chooses for a port without a number, the first one counts.
std::pair<Addresses, std::uint16_t> place_of(const std::vector<Published>& bindings, const Addresses& node) {
  std::pair<Addresses, std::uint16_t> out;
  for (const Published& binding : bindings) {
    const Addresses found = addresses_of(binding, node);
    if (found.empty() || (out.second != 0 && out.second != binding.number)) continue;
    out.second = binding.number;
    for (const IpAddress& address : found) {
      if (std::ranges::find(out.first, address) == out.first.end()) out.first.push_back(address);
    }
  }
  return out;
}

std::string texts_of(const std::vector<Published>& bindings) {
  std::vector<std::string> out;
  for (const Published& binding : bindings) {
    if (binding.address) out.push_back(binding.address->text());
  }
  return join(out, " and ");
}

Result<ContainerReach> published_reach(const Container& container, const std::vector<ContainerPort>& ports,
                                       const Addresses& node) {
  ContainerReach out{.addresses = {}, .published = true, .numbers = {}};
  for (const auto& [port, bindings] : container.published) {
    const auto [addresses, number] = place_of(bindings, node);
    if (number != 0) out.numbers[port] = number;
    if (port == ports.front()) out.addresses = addresses;
  }
  for (const ContainerPort& port : ports) {
    if (out.numbers.contains(port)) continue;
    const auto bindings = container.published.find(port);
    if (bindings == container.published.end()) return impossible("port " + port.text() + " is not published");
    if (node.empty()) return impossible("the node has no address yet");
    return impossible("port " + port.text() + " is published on " + texts_of(bindings->second) +
                      " only, which no other node reaches");
  }
  return out;
}

Result<ContainerReach> own_reach(const Container& container, const std::string& network) {
  const auto& networks = container.networks;
  if (!network.empty()) {
    const auto found = networks.find(network);
    if (found == networks.end()) return impossible("it has no address in the network " + printable(network));
    return ContainerReach{.addresses = found->second, .published = false, .numbers = {}};
  }
  if (networks.empty()) return impossible("it has neither an address of its own nor a published port");
  if (networks.size() == 1) {
    return ContainerReach{.addresses = networks.begin()->second, .published = false, .numbers = {}};
  }
  std::vector<std::string> names;
  for (const auto& [name, addresses] : networks) names.push_back(printable(name));
  return impossible("it is in several networks (" + join(names, ", ") + "): meshdns.network has to name one");
}

}  // namespace

std::optional<std::uint16_t> ContainerReach::number_of(const ContainerPort& port) const {
  if (!published) return port.number;
  const auto found = numbers.find(port);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

Result<ContainerReach> reach_of(const Container& container, const std::vector<ContainerPort>& ports,
                                const ReachWish& wish, const std::vector<IpAddress>& node) {
  if (container.host_network) {
    if (node.empty()) return impossible("the node has no address yet");
    return ContainerReach{.addresses = node, .published = false, .numbers = {}};
  }
  const bool published = wish.address.empty() ? container.published.contains(ports.front()) && wish.network.empty()
                                              : wish.address == "published";
  return published ? published_reach(container, ports, node) : own_reach(container, wish.network);
}

}  // namespace meshdns::discovery
