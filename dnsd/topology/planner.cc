#include "dnsd/topology/planner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/clusterset.h"
#include "dnsd/topology/host_part.h"

namespace meshdns::topology {
namespace {

// A compiled host counts its rows in 16 bits.
constexpr std::size_t kMostCandidates = std::numeric_limits<std::uint16_t>::max();

}  // namespace

Planner::Planner(const model::Records& records)
    : records_(records), groups_(records), owners_(records), claims_(records) {
  for (const auto& [key, node] : records_.nodes) claims_.node_changed(key, [](const model::Endpoint&) {});
  for (const auto& [key, object] : records_.destinations) objects_.insert(key);
  for (const auto& [key, endpoint] : records_.endpoints) endpoint_entered(endpoint);
}

void Planner::configure(HostNaming naming, std::function<bool(const std::string&)> is_static) {
  owners_.configure(std::move(naming), std::move(is_static));
  settle_all();
}

// ---- changes of the records ----

void Planner::endpoint_entered(const model::Endpoint& endpoint) {
  groups_.add(endpoint);
  mappings_.endpoint_changed(endpoint);
  touch(endpoint, Urgency::Addition);
  claims_.endpoint_entered(endpoint);
  touch_rivals(endpoint);
}

void Planner::endpoint_updated(const model::Endpoint& endpoint) {
  mappings_.endpoint_changed(endpoint);
  const bool good = endpoint.health.state == model::HealthState::Serving && !endpoint.health.in_doubt;
  touch(endpoint, good ? Urgency::Addition : Urgency::Removal);
  touch_rivals(endpoint);
}

void Planner::endpoint_leaves(const model::Endpoint& endpoint) {
  mappings_.endpoint_changed(endpoint);
  touch(endpoint, Urgency::Removal);
  touch_rivals(endpoint);
  claims_.endpoint_leaves(endpoint);
  groups_.remove(endpoint);
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
  mappings_.node_changed(node);
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
    if (names_it) owners_.add_hosts_of(object, hosts);
  }
  touch(hosts, Urgency::Removal);  // an address may have gone from the name
}

void Planner::override_changed(const model::Override& override) {
  if (override.action == model::Action::Freeze) return;
  touch(hosts_hit(override.target), Urgency::Removal);
}

void Planner::touch(const std::set<std::string>& hosts, Urgency urgency) {
  for (const std::string& host : hosts) queue_.add(host, urgency);
}

void Planner::touch(const model::Endpoint& endpoint, Urgency urgency) {
  std::set<std::string> hosts;
  index().add_hosts_of(endpoint, hosts);
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

void Planner::touch_rivals(const model::Endpoint& endpoint) {
  claims_.for_rivals(endpoint, [this](const model::Endpoint& rival) { touch(rival, Urgency::Removal); });
}

// ---- owners ----

// All owners are computed again: what an object or service gives up may be claimed by any other one.
void Planner::settle_all() {
  groups_.rebuild();
  owners_.claim_all([this](const std::string& host) { queue_.add(host, Urgency::Addition); },
                    [this](const std::string& host) { erased_.insert(host); });
  std::set<std::string> hosts;
  for (const std::string& key : objects_) index().add_hosts_of_object(key, hosts);
  touch(hosts, Urgency::Addition);
  mappings_.objects_changed(objects_);
  objects_.clear();
  services_.clear();
}

bool Planner::settle_alone(const model::ServiceKey& service) {
  return owners_.claim(service, [this](const std::string& host) { queue_.add(host, Urgency::Addition); });
}

void Planner::settle() {
  // a service that went frees its host, which a younger service of the same name may claim
  const bool gone = std::ranges::any_of(services_, [&](const auto& key) { return !records_.services.contains(key); });
  if (gone || !objects_.empty()) return settle_all();
  if (!std::ranges::all_of(services_, [this](const auto& key) { return settle_alone(key); })) return settle_all();
  services_.clear();
}

// ---- publications ----

Planner::Changes Planner::take(TimePoint now, const SliceLimits& limits, const Cost& cost) {
  settle();
  PublicationQueue::Taken taken =
      queue_.take(now, limits, [&](const std::string& host) { return cost_of(host, cost); });
  Changes out;
  const PlanContext context{records_, claims_, records_.overrides, now};
  std::ranges::sort(taken.hosts);  // hosts with similar names are alike: as neighbours they share compiled parts
  for (const std::string& host : taken.hosts) {
    const Owner* owner = owners_.find(host);
    if (owner == nullptr) {
      queue_.set_due(host, std::nullopt);
      continue;
    }
    out.put.push_back(plan_of(host, *owner, context));
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
    if (owners_.find(host) != nullptr) continue;
    out.erased.push_back(host);
    queue_.set_due(host, std::nullopt);
  }
  erased_.clear();
}

Duration Planner::cost_of(const std::string& host, const Cost& cost) const {
  static const model::Policy kAutomatic;
  const Owner* owner = owners_.find(host);
  if (owner == nullptr) return Duration::zero();
  if (owner->object.empty()) return cost(kAutomatic, groups_.most_of_service(owner->service));
  const model::VirtualDestination& object = records_.destinations.at(owner->object);
  return cost(object.policy, groups_.most_of_object(object));
}

// ---- plans ----

std::optional<HostPlan> Planner::plan(const std::string& host, TimePoint now, const Overrides& overrides) {
  settle();
  const Owner* owner = owners_.find(host);
  if (owner == nullptr) return std::nullopt;
  return plan_of(host, *owner, {records_, claims_, overrides, now});
}

HostPlan Planner::plan_of(const std::string& host, const Owner& owner, const PlanContext& context) const {
  auto endpoints = endpoints_of(owner);
  const bool mcs = model::is_clusterset_host(host);
  if (mcs) {
    const HostPart part = part_of(owner);
    std::erase_if(endpoints, [&](const model::Endpoint* endpoint) { return !part.exported(*endpoint); });
  }
  HostPlan out = owner.object.empty() ? plan_service(context, owner.service.name, endpoints)
                                      : plan_object(context, records_.destinations.at(owner.object), endpoints);
  out.cluster_names = mcs;
  if (out.candidates.size() > kMostCandidates) out.candidates.resize(kMostCandidates);
  out.name = host;
  out.zone = zone_of(owners_.zones(), host);
  return out;
}

HostPart Planner::part_of(const Owner& owner) const {
  if (owner.object.empty()) return HostPart(owner.service.name);
  return {records_, records_.destinations.at(owner.object)};
}

std::vector<const model::Endpoint*> Planner::endpoints_of(const Owner& owner) const {
  if (owner.object.empty()) return groups_.of_service(owner.service);
  return groups_.of_object(records_.destinations.at(owner.object));
}

std::vector<const model::Endpoint*> Planner::endpoints_of(const model::ServiceSelector& selector,
                                                          const std::string& own_namespace) {
  settle();
  return groups_.of_selector(selector, own_namespace);
}

const std::vector<Conflict>& Planner::conflicts() {
  settle();
  return owners_.conflicts();
}

std::size_t Planner::hosts() {
  settle();
  return owners_.all().size();
}

std::optional<std::string> Planner::similar_host(const std::string& name) {
  settle();
  if (owners_.all().size() > kMostGuessedHosts) return std::nullopt;
  std::vector<std::string> hosts;
  for (const auto& [host, owner] : owners_.all()) hosts.push_back(host);
  std::sort(hosts.begin(), hosts.end());  // of equally similar names every server suggests the same
  return did_you_mean(name, hosts);
}

// ---- overrides ----

bool Planner::search(HitSearch& search, std::size_t steps) {
  settle();
  return continue_search(index(), search, steps);
}

std::set<std::string> Planner::hosts_hit(const model::OverrideTarget& target) const {
  HitSearch all{.targets = {target}};
  continue_search(index(), all, std::numeric_limits<std::size_t>::max());
  return std::move(all.hosts);
}

bool Planner::serves(const Owner& owner, const PlanContext& context) const {
  const auto is_serving = [](const Candidate& candidate) { return candidate.standing == Standing::Serving; };
  const auto endpoints = endpoints_of(owner);
  const HostPart part = part_of(owner);
  const bool one_does = std::ranges::any_of(
      endpoints, [&](const model::Endpoint* endpoint) { return is_serving(part.candidate_of(context, *endpoint)); });
  if (one_does || owner.object.empty()) return one_does;
  const model::VirtualDestination& object = records_.destinations.at(owner.object);
  return !object.external_endpoints.empty() &&
         std::ranges::any_of(plan_object(context, object, {}).candidates, is_serving);
}

std::vector<std::string> Planner::emptied(const model::OverrideTarget& target, TimePoint now,
                                          const Overrides& overrides) {
  settle();
  std::vector<std::string> out;
  for (const std::string& host : hosts_hit(target)) {
    const Owner& owner = *owners_.find(host);
    if (!serves(owner, {records_, claims_, overrides, now}) &&
        serves(owner, {records_, claims_, records_.overrides, now})) {
      out.push_back(host);
    }
  }
  return out;
}

}  // namespace meshdns::topology
