#include "dnsd/topology/hit_search.h"

#include "common/model/memberships.h"
#include "dnsd/topology/matching.h"

namespace meshdns::topology {
namespace {

bool is_of_nodes(const model::OverrideTarget& target) {
  return target.kind == model::TargetKind::Node || target.kind == model::TargetKind::Zone ||
         target.kind == model::TargetKind::Cluster;
}

/// Returns whether a target of kind Node, Zone or Cluster hits the endpoints of a node.
bool hits_node(const model::Records& records, const model::OverrideTarget& target, const std::string& node) {
  static const std::string kNothing;
  static const std::vector<IpAddress> kNoAddresses;
  const model::Locality place = locality_of(records, node);
  return model::hits(target, {kNothing, node, kNothing, kNothing, place, kNoAddresses});
}

void found(const HostIndex& index, const model::Endpoint& endpoint, HitSearch& search) {
  search.known.insert(search.targets[search.at]);
  index.add_hosts_of(endpoint, search.hosts);
}

// The nodes' parts of the keys are compared once per node: endpoints of a node that is not hit are skipped in one step,
// because their keys begin with the node's.
bool search_by_node(const HostIndex& index, HitSearch& search, std::size_t& steps) {
  const model::OverrideTarget& target = search.targets[search.at];
  const auto& endpoints = index.records.endpoints;
  const std::string* node = nullptr;  // the node of the endpoint before, if the target hits it
  for (auto at = endpoints.upper_bound(search.after); at != endpoints.end();) {
    if (steps-- == 0) return false;
    const model::Endpoint& endpoint = at->second;
    if (node != nullptr && *node != endpoint.node) node = nullptr;
    if (node == nullptr && !hits_node(index.records, target, endpoint.node)) {
      search.after = endpoint.node + "0";  // '0' follows '/': the first key after those of this node
      at = endpoints.lower_bound(search.after);
      continue;
    }
    node = &endpoint.node;
    found(index, endpoint, search);
    search.after = at->first;
    ++at;
  }
  return true;
}

bool search_by_endpoint(const HostIndex& index, HitSearch& search, std::size_t& steps) {
  const model::OverrideTarget& target = search.targets[search.at];
  const auto& endpoints = index.records.endpoints;
  if (const auto named = endpoints.find(target.name); named != endpoints.end()) {
    found(index, named->second, search);
    return true;
  }
  const EndpointTarget addressed(target.name);
  for (auto at = endpoints.upper_bound(search.after); at != endpoints.end(); ++at) {
    if (steps-- == 0) return false;
    if (addressed.hits(at->second)) found(index, at->second, search);
    search.after = at->first;
  }
  return true;
}

void search_service(const HostIndex& index, HitSearch& search) {
  const model::OverrideTarget& target = search.targets[search.at];
  const auto slash = target.name.find('/');
  if (slash == std::string::npos) return;
  const model::ServiceKey service{target.name.substr(0, slash), target.name.substr(slash + 1)};
  for (const model::Endpoint* endpoint : index.groups.of_service(service)) found(index, *endpoint, search);
}

}  // namespace

void HostIndex::add_hosts_of(const model::Endpoint& endpoint, std::set<std::string>& out) const {
  for (const model::ServiceKey& service : model::services_of(endpoint)) owners.add_hosts_of(service, out);
  for (const model::VirtualDestination* object : groups.objects_of(endpoint)) owners.add_hosts_of(*object, out);
}

void HostIndex::add_hosts_of_object(const std::string& key, std::set<std::string>& out) const {
  const auto object = records.destinations.find(key);
  if (object != records.destinations.end()) owners.add_hosts_of(object->second, out);
}

bool continue_search(const HostIndex& index, HitSearch& search, std::size_t steps) {
  for (; search.at < search.targets.size(); ++search.at) {
    const model::OverrideTarget& target = search.targets[search.at];
    if (target.kind == model::TargetKind::Service) {
      search_service(index, search);
      continue;
    }
    const bool done =
        is_of_nodes(target) ? search_by_node(index, search, steps) : search_by_endpoint(index, search, steps);
    if (!done) return false;
    search.after.clear();
  }
  for (const auto& [key, object] : index.records.destinations) {
    if (!object.external_endpoints.empty()) index.owners.add_hosts_of(object, search.hosts);
  }
  return true;
}

}  // namespace meshdns::topology
