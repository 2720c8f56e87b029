#include "dnsd/topology/ports.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "common/base/text.h"
#include "common/model/limits.h"

namespace meshdns::topology {
namespace {

/// A port name as the endpoints have it.
struct Claim {
  std::size_t first = 0;  // position among the names in the order in which they were seen
  std::size_t nodes = 0;
  const std::string* node = nullptr;  // the last node that was counted: endpoints of one node are neighbours
  std::string_view app_protocol;
};

}  // namespace

NamedPorts::NamedPorts(const std::vector<const model::Endpoint*>& endpoints, const HostPart& part) : part_(part) {
  std::map<Key, Claim> claims;
  for (const model::Endpoint* endpoint : endpoints) {
    part.for_each_port(*endpoint, [&](const model::Port& port) {
      if (!is_ldh_label(port.name)) return;
      Claim& claim = claims.try_emplace({port.name, port.protocol}, Claim{claims.size(), 0, nullptr, {}}).first->second;
      if (claim.app_protocol.empty()) claim.app_protocol = port.app_protocol;
      if (claim.node != nullptr && *claim.node == endpoint->node) return;
      claim.node = &endpoint->node;
      ++claim.nodes;
    });
  }
  std::vector<std::pair<Key, Claim>> order(claims.begin(), claims.end());
  if (order.size() > model::kMostPorts) {
    std::ranges::sort(order, {}, [](const auto& entry) { return std::tuple(~entry.second.nodes, entry.first); });
    for (std::size_t i = model::kMostPorts; i < order.size(); ++i) {
      const auto& [name, protocol] = order[i].first;
      refused_.push_back("_" + std::string(name) + "._" + ascii_lower(protocol));
    }
    std::ranges::sort(refused_);
    order.resize(model::kMostPorts);
  }
  std::ranges::sort(order, {}, [](const auto& entry) { return entry.second.first; });
  for (const auto& [key, claim] : order) {
    places_.emplace(key, ports_.size());
    ports_.push_back({std::string(key.first), std::string(key.second), 0, std::string(claim.app_protocol)});
  }
}

std::vector<std::uint16_t> NamedPorts::numbers_of(const model::Endpoint& endpoint) const {
  std::vector<std::uint16_t> out(places_.size(), 0);
  part_.for_each_port(endpoint, [&](const model::Port& port) {
    const auto place = places_.find({port.name, port.protocol});
    if (place != places_.end() && out[place->second] == 0) out[place->second] = port.number;
  });
  return out;
}

MappedPorts::MappedPorts(const std::vector<model::PortMapping>& mapping, const HostPart& part)
    : mapping_(mapping), part_(part) {
  for (const model::PortMapping& port : mapping) {
    const auto number = parse_uint(port.target_port);
    fixed_.push_back(port.target_port.empty() ? port.number : static_cast<std::uint16_t>(number.value_or(0)));
    ports_.push_back({port.name, port.protocol, port.number, port.app_protocol});
  }
}

std::vector<std::uint16_t> MappedPorts::numbers_of(const model::Endpoint& endpoint) {
  std::map<std::pair<std::string_view, std::string_view>, std::uint16_t> by_name;
  std::map<std::pair<std::uint16_t, std::string_view>, std::string_view> app_protocols;
  part_.for_each_port(endpoint, [&](const model::Port& port) {
    by_name.emplace(std::pair(std::string_view(port.name), std::string_view(port.protocol)), port.number);
    if (!port.app_protocol.empty())
      app_protocols.emplace(std::pair(port.number, std::string_view(port.protocol)), port.app_protocol);
  });
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < mapping_.size(); ++i) {
    const model::PortMapping& port = mapping_[i];
    std::uint16_t number = fixed_[i];
    if (number == 0) {
      const auto own = by_name.find({port.target_port, port.protocol});
      number = own == by_name.end() ? std::uint16_t{0} : own->second;
    }
    out.push_back(number);
    if (!ports_[i].app_protocol.empty()) continue;
    const auto stated = app_protocols.find({number, port.protocol});
    if (stated != app_protocols.end()) ports_[i].app_protocol = stated->second;
  }
  return out;
}

}  // namespace meshdns::topology
