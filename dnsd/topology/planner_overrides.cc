#include <algorithm>

#include "dnsd/topology/matching.h"
#include "dnsd/topology/planner.h"

// The planner's part for operators' overrides.

namespace meshdns::topology {

void Planner::add_hosts_hit(const model::Target& target, std::set<std::string>& out) {
  const bool of_node = target.kind == model::TargetKind::Node || target.kind == model::TargetKind::Zone ||
                       target.kind == model::TargetKind::Cluster;
  const std::string* node = nullptr;  // of the endpoint before; its endpoints follow each other
  model::Locality place;
  bool hit = false;
  for (const auto& [key, endpoint] : records_.endpoints) {
    const bool same_node = node != nullptr && *node == endpoint.node;
    if (!same_node) place = locality_of(records_, endpoint.node);
    node = &endpoint.node;
    if (!of_node || !same_node) hit = model::hits(target, subject_of(endpoint, place));
    if (hit) add_hosts_of(endpoint, out);
  }
  for (const auto& [key, object] : records_.destinations) {
    if (!object.external_endpoints.empty()) add_hosts_of_object(key, out);
  }
}

void Planner::override_changed(const model::Override& override) {
  if (override.action == model::Action::Freeze) return;
  std::set<std::string> hosts;
  add_hosts_hit(override.target, hosts);
  touch(hosts, Urgency::Removal);
}

std::vector<std::string> Planner::hosts_hit(const std::vector<model::Target>& targets) {
  settle();
  std::set<std::string> out;
  for (const model::Target& target : targets) add_hosts_hit(target, out);
  return {out.begin(), out.end()};
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
  std::set<std::string> hosts;
  add_hosts_hit(target, hosts);
  std::vector<std::string> out;
  for (const std::string& host : hosts) {
    const Owner& owner = owners_.at(host);
    if (!serves(owner, {records_, overrides, now}) && serves(owner, {records_, records_.overrides, now})) {
      out.push_back(host);
    }
  }
  return out;
}

}  // namespace meshdns::topology
