#include <algorithm>
#include <limits>
#include <utility>

#include "dnsd/topology/matching.h"
#include "dnsd/topology/planner.h"

// The part of Planner that finds the hosts which operators' overrides change.

namespace meshdns::topology {

namespace {

bool is_of_nodes(const model::Target& target) {
  return target.kind == model::TargetKind::Node || target.kind == model::TargetKind::Zone ||
         target.kind == model::TargetKind::Cluster;
}

/// Returns whether a target of kind Node, Zone or Cluster hits the endpoints of a node.
bool hits_node(const model::Records& records, const model::Target& target, const std::string& node) {
  static const std::string kNothing;
  static const std::vector<IpAddress> kNoAddresses;
  const model::Locality place = locality_of(records, node);
  return model::hits(target, {kNothing, node, kNothing, kNothing, place, kNoAddresses});
}

}  // namespace

// The nodes' parts of the keys are compared once per node: endpoints of a node that is not hit are skipped in one step,
// because their keys begin with the node's.
bool Planner::search_by_node(HitSearch& search, std::size_t& steps) {
  const model::Target& target = search.targets[search.at];
  const std::string* node = nullptr;  // the node of the endpoint before, if the target hits it
  for (auto at = records_.endpoints.upper_bound(search.after); at != records_.endpoints.end();) {
    if (steps-- == 0) return false;
    const model::Endpoint& endpoint = at->second;
    if (node != nullptr && *node != endpoint.node) node = nullptr;
    if (node == nullptr && !hits_node(records_, target, endpoint.node)) {
      search.after = endpoint.node + "0";  // '0' follows '/': the first key after those of this node
      at = records_.endpoints.lower_bound(search.after);
      continue;
    }
    node = &endpoint.node;
    search.known.insert(target);
    add_hosts_of(endpoint, search.hosts);
    search.after = at->first;
    ++at;
  }
  return true;
}

bool Planner::search_by_endpoint(HitSearch& search, std::size_t& steps) {
  const model::Target& target = search.targets[search.at];
  const auto found = [&](const model::Endpoint& endpoint) {
    search.known.insert(target);
    add_hosts_of(endpoint, search.hosts);
  };
  if (const auto named = records_.endpoints.find(target.name); named != records_.endpoints.end()) {
    found(named->second);
    return true;
  }
  const EndpointTarget addressed(target.name);
  for (auto at = records_.endpoints.upper_bound(search.after); at != records_.endpoints.end(); ++at) {
    if (steps-- == 0) return false;
    if (addressed.hits(at->second)) found(at->second);
    search.after = at->first;
  }
  return true;
}

void Planner::search_service(HitSearch& search) {
  const model::Target& target = search.targets[search.at];
  const auto slash = target.name.find('/');
  if (slash == std::string::npos) return;
  const Owner service{"", {target.name.substr(0, slash), target.name.substr(slash + 1)}};
  for (const model::Endpoint* endpoint : endpoints_of(service)) {
    search.known.insert(target);
    add_hosts_of(*endpoint, search.hosts);
  }
}

bool Planner::search(HitSearch& search, std::size_t steps) {
  settle();
  return search_unsettled(search, steps);
}

bool Planner::search_unsettled(HitSearch& search, std::size_t steps) {
  for (; search.at < search.targets.size(); ++search.at) {
    const model::Target& target = search.targets[search.at];
    if (target.kind == model::TargetKind::Service) {
      search_service(search);
      continue;
    }
    const bool done = is_of_nodes(target) ? search_by_node(search, steps) : search_by_endpoint(search, steps);
    if (!done) return false;
    search.after.clear();
  }
  for (const auto& [key, object] : records_.destinations) {
    if (!object.external_endpoints.empty()) add_hosts_of_object(key, search.hosts);
  }
  return true;
}

std::set<std::string> Planner::hosts_hit(const model::Target& target) {
  HitSearch all{.targets = {target}};
  search_unsettled(all, std::numeric_limits<std::size_t>::max());
  return std::move(all.hosts);
}

void Planner::override_changed(const model::Override& override) {
  if (override.action == model::Action::Freeze) return;
  touch(hosts_hit(override.target), Urgency::Removal);
}

bool Planner::serves(const Owner& owner, const PlanContext& context) const {
  const auto is_serving = [](const Candidate& candidate) { return candidate.standing == Standing::Serving; };
  const auto endpoints = endpoints_of(owner);
  const bool one_does = std::ranges::any_of(
      endpoints, [&](const model::Endpoint* endpoint) { return is_serving(candidate_of(context, *endpoint)); });
  if (one_does || owner.object.empty()) return one_does;
  const model::VirtualDestination& object = records_.destinations.at(owner.object);
  return !object.external_endpoints.empty() &&
         std::ranges::any_of(plan_object(context, object, {}).candidates, is_serving);
}

std::vector<std::string> Planner::emptied(const model::Target& target, TimePoint now, const Overrides& overrides) {
  settle();
  std::vector<std::string> out;
  for (const std::string& host : hosts_hit(target)) {
    const Owner& owner = owners_.at(host);
    if (!serves(owner, {records_, claims_, overrides, now}) &&
        serves(owner, {records_, claims_, records_.overrides, now})) {
      out.push_back(host);
    }
  }
  return out;
}

}  // namespace meshdns::topology
