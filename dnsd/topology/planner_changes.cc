#include <algorithm>
#include <utility>

#include "common/base/names.h"
#include "common/base/text.h"
#include "dnsd/topology/planner.h"

// The part of Planner that notes which hosts a change touches, and hands them out.

namespace meshdns::topology {

void Planner::Group::add(const model::Endpoint* endpoint) {
  // an endpoint that left and came back, or a new one at the same memory address, is still in the list
  if (gone_.erase(endpoint) == 0) members_.push_back(endpoint);
}

const std::vector<const model::Endpoint*>& Planner::Group::members() const {
  if (!gone_.empty()) {
    std::erase_if(members_, [this](const model::Endpoint* member) { return gone_.contains(member); });
    gone_.clear();
  }
  return members_;
}

void Planner::endpoint_updated(const model::Endpoint& endpoint) {
  const bool good = endpoint.health.state == model::HealthState::Serving && !endpoint.health.in_doubt;
  touch(endpoint, good ? Urgency::Addition : Urgency::Removal);
  touch_rivals(endpoint);
}

void Planner::touch_rivals(const model::Endpoint& endpoint) {
  claims_.for_rivals(endpoint, [this](const model::Endpoint& rival) { touch(rival, Urgency::Removal); });
}

void Planner::touch(const std::set<std::string>& hosts, Urgency urgency) {
  for (const std::string& host : hosts) queue_.add(host, urgency);
}

void Planner::touch(const model::Endpoint& endpoint, Urgency urgency) {
  std::set<std::string> hosts;
  add_hosts_of(endpoint, hosts);
  touch(hosts, urgency);
}

void Planner::touch_node(const std::string& node, Urgency urgency) {
  const std::string prefix = node + "/";
  for (auto at = records_.endpoints.lower_bound(prefix); at != records_.endpoints.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    touch(at->second, urgency);
    touch_rivals(at->second);
  }
}

void Planner::node_status_changed(const std::string& node) {
  // a node without a status is heard: its endpoints may serve again
  touch_node(node, records_.statuses.contains(node) ? Urgency::Removal : Urgency::Addition);
  claims_.for_endpoints_at(node, [this](const model::Endpoint& other) { touch(other, Urgency::Removal); });
  // a prefix that several nodes claim belongs to a node that is heard: clients in it may be elsewhere now
  places_ = places_ || claims_.shares_prefixes(node);
}

void Planner::destination_changed(const std::string& key) { objects_.insert(key); }

void Planner::node_changed(const std::string& node) {
  places_ = true;
  touch_node(node, Urgency::Removal);  // its locality may have changed, and with it the tiers of its endpoints
  claims_.node_changed(node, [this](const model::Endpoint& other) { touch(other, Urgency::Removal); });
}

void Planner::cluster_changed(const std::string& name) {
  places_ = geography_ = true;
  for (const auto& [key, node] : records_.nodes) {
    if (same_name(node.locality.cluster, name)) touch_node(key, Urgency::Addition);
  }
}

void Planner::external_name_changed(const std::string& hostname) {
  std::set<std::string> hosts;
  for (const auto& [key, object] : records_.destinations) {
    const bool names_it = std::ranges::any_of(object.external_endpoints,
                                              [&](const auto& external) { return external.hostname == hostname; });
    if (names_it) add_hosts_of_object(key, hosts);
  }
  touch(hosts, Urgency::Removal);  // an address may have gone from the name
}

Planner::Changes Planner::take(TimePoint now, const SliceLimits& limits, const Cost& cost) {
  settle();
  PublicationQueue::Taken taken =
      queue_.take(now, limits, [&](const std::string& host) { return cost_of(host, cost); });
  Changes out;
  const PlanContext context{records_, claims_, records_.overrides, now};
  std::ranges::sort(taken.hosts);  // hosts with similar names are alike: as neighbours they share compiled parts
  for (const std::string& host : taken.hosts) {
    const auto owner = owners_.find(host);
    if (owner == owners_.end()) {
      queue_.set_due(host, std::nullopt);
      continue;
    }
    out.put.push_back(plan_of(host, owner->second, context));
    queue_.set_due(host, out.put.back().changes_at);
  }
  take_erased(out);
  out.steps = std::move(taken.steps);
  out.removals = taken.removals;
  out.places = std::exchange(places_, false);
  out.geography = std::exchange(geography_, false);
  return out;
}

void Planner::take_erased(Changes& out) {
  for (const std::string& host : erased_) {
    if (owners_.contains(host)) continue;
    out.erased.push_back(host);
    queue_.set_due(host, std::nullopt);
  }
  erased_.clear();
}

}  // namespace meshdns::topology
