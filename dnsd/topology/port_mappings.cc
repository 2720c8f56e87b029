#include "dnsd/topology/port_mappings.h"

#include <algorithm>
#include <tuple>

#include "dnsd/topology/host_part.h"
#include "dnsd/topology/plan.h"
#include "dnsd/topology/ports.h"

namespace meshdns::topology {
namespace {

bool maps_ports(const model::VirtualDestination& object) {
  return std::ranges::any_of(object.ports, &model::PortMapping::map_ports);
}

}  // namespace

std::vector<const model::VirtualDestination*> PortMappings::mapping(const model::Endpoint& endpoint) const {
  if (nodes_.empty()) return {};
  const auto node = records_.nodes.find(endpoint.node);
  const std::string cluster = node == records_.nodes.end() ? "" : node->second.locality.cluster;
  std::vector<const model::VirtualDestination*> out = groups_.objects_of(endpoint);
  std::erase_if(out, [&](const model::VirtualDestination* object) {
    const auto selected = [&](const model::ServiceSelector& selector) {
      return selects(selector, object->meta.namespace_, endpoint) && selects_cluster(selector, cluster);
    };
    return !maps_ports(*object) || std::ranges::none_of(object->services, selected);
  });
  std::ranges::sort(out, {}, [](const model::VirtualDestination* object) {
    return std::tuple(object->meta.created, object->meta.key());
  });
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void PortMappings::endpoint_changed(const model::Endpoint& endpoint) {
  for (const model::VirtualDestination* object : mapping(endpoint)) {
    const auto known = nodes_.find(object->meta.key());
    if (known != nodes_.end()) known->second.insert(endpoint.node);
    changed_.insert(endpoint.node);
  }
}

void PortMappings::node_changed(const std::string& node) {
  if (!nodes_.empty()) changed_.insert(node);
}

void PortMappings::objects_changed(const std::set<std::string>& keys) {
  for (const std::string& key : keys) {
    if (const auto before = nodes_.extract(key)) changed_.merge(before.mapped());
    const auto object = records_.destinations.find(key);
    if (object == records_.destinations.end() || !maps_ports(object->second)) continue;
    std::set<std::string>& nodes = nodes_[key];
    for (const model::Endpoint* endpoint : groups_.of_object(object->second)) nodes.insert(endpoint->node);
    changed_.insert(nodes.begin(), nodes.end());
  }
}

void PortMappings::add(const model::VirtualDestination& object, const model::Endpoint& endpoint,
                       std::vector<WantedMapping>& out) const {
  const HostPart part(records_, object);
  MappedPorts ports(object.ports, part);
  const auto targets = ports.numbers_of(endpoint);
  for (std::size_t i = 0; i < object.ports.size(); ++i) {
    const model::PortMapping& port = object.ports[i];
    if (!port.map_ports || targets[i] == 0 || targets[i] == port.number) continue;
    const bool taken = std::ranges::any_of(out, [&](const WantedMapping& other) {
      return other.endpoint == endpoint.key && other.protocol == port.protocol && other.number == port.number;
    });
    if (!taken) out.push_back({endpoint.key, port.protocol, port.number, targets[i]});
  }
}

std::vector<WantedMapping> PortMappings::of_node(const std::string& node) const {
  std::vector<WantedMapping> out;
  if (nodes_.empty()) return out;
  const std::string prefix = node + "/";
  for (auto at = records_.endpoints.lower_bound(prefix); at != records_.endpoints.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    std::vector<WantedMapping> of_endpoint;
    for (const model::VirtualDestination* object : mapping(at->second)) add(*object, at->second, of_endpoint);
    out.insert(out.end(), of_endpoint.begin(), of_endpoint.end());
  }
  return out;
}

}  // namespace meshdns::topology
