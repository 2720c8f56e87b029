#include "dnsd/topology/planner.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "common/base/text.h"

namespace meshdns::topology {
namespace {

// A compiled host counts its rows in 16 bits.
constexpr std::size_t kMostCandidates = std::numeric_limits<std::uint16_t>::max();

// Names of namespaces and services ignore case, so their groups do too; label names and values are exact.
std::string service_group(const std::string& ns, const std::string& service) {
  return ascii_lower("service " + ns + " " + service);
}
std::string label_group(const std::string& ns, const std::string& name, const std::string& value) {
  return "label " + ascii_lower(ns) + " " + name + " " + value;
}
std::string namespace_group(const std::string& ns) { return ascii_lower("namespace " + ns); }

/// Returns the name of the narrowest group that holds everything the selector can match.
std::string group_of(const model::ServiceSelector& selector, const std::string& own_namespace) {
  const std::string& ns = selector.namespace_.empty() ? own_namespace : selector.namespace_;
  if (!selector.name.empty()) return service_group(ns, selector.name);
  if (selector.match_labels.empty()) return namespace_group(ns);
  const auto& [name, value] = *selector.match_labels.begin();
  return label_group(ns, name, value);
}

std::string replaced(std::string text, std::string_view word, const std::string& value) {
  const auto at = text.find(word);
  return at == std::string::npos ? text : text.replace(at, word.size(), value);
}

/// Returns the automatic host of a service in a zone; empty = it has none.
std::string auto_host(const HostNaming& naming, const model::ServiceKey& service, const std::string& zone) {
  if (naming.auto_hosts.empty() || !is_ldh_label(service.name) || !is_ldh_label(service.namespace_)) return "";
  std::string name = replaced(naming.auto_hosts, "{service}", service.name);
  name = ascii_lower(replaced(replaced(std::move(name), "{namespace}", service.namespace_), "{zone}", zone));
  return zone_of(naming.zones, name) == zone ? name : "";
}

/// Returns the objects in the order in which they may claim a host (docs/design.md section 4, step 1).
std::vector<const model::VirtualDestination*> by_claim(const model::Records& records) {
  std::vector<const model::VirtualDestination*> objects;
  for (const auto& [key, object] : records.destinations) objects.push_back(&object);
  std::ranges::sort(objects, {}, [](const auto* object) { return claim_rank(object->meta, object->meta.key()); });
  return objects;
}

void sort_by_key(std::vector<const model::Endpoint*>& endpoints) {
  std::ranges::sort(endpoints, {}, [](const model::Endpoint* endpoint) -> const std::string& { return endpoint->key; });
}

}  // namespace

Planner::Planner(const model::Records& records) : records_(records), claims_(records) {
  for (const auto& [key, node] : records_.nodes) claims_.node_changed(key, [](const model::Endpoint&) {});
  for (const auto& [key, endpoint] : records_.endpoints) endpoint_entered(endpoint);
}

void Planner::configure(HostNaming naming, std::function<bool(const std::string&)> is_static) {
  naming_ = std::move(naming);
  is_static_ = std::move(is_static);
  settle_objects();
}

template <class F>
void Planner::for_groups(const model::Endpoint& endpoint, F visit) {
  const auto look = [&](const std::string& name) {
    if (const auto found = groups_.find(name); found != groups_.end()) visit(found->second);
  };
  look(service_group(endpoint.namespace_, endpoint.service));
  if (!grouped_by_more_) return;
  for (const auto& [name, value] : endpoint.labels) look(label_group(endpoint.namespace_, name, value));
  look(namespace_group(endpoint.namespace_));
}

void Planner::endpoint_entered(const model::Endpoint& endpoint) {
  groups_.try_emplace(service_group(endpoint.namespace_, endpoint.service));  // others are made where needed
  for_groups(endpoint, [&](Group& group) {
    if (group.filled) group.add(&endpoint);
  });
  touch(endpoint, Urgency::Addition);
  claims_.endpoint_entered(endpoint);
  touch_rivals(endpoint);
}

void Planner::endpoint_leaves(const model::Endpoint& endpoint) {
  touch(endpoint, Urgency::Removal);
  touch_rivals(endpoint);
  claims_.endpoint_leaves(endpoint);
  for_groups(endpoint, [&](Group& group) {
    if (group.filled) group.remove(&endpoint);
  });
  const auto group = groups_.find(service_group(endpoint.namespace_, endpoint.service));
  if (group->second.size() == 0 && group->second.objects.empty()) groups_.erase(group);
}

void Planner::add_hosts_of(const model::Endpoint& endpoint, std::set<std::string>& out) {
  for (const std::string& zone : naming_.zones) {
    const std::string name = auto_host(naming_, {endpoint.namespace_, endpoint.service}, zone);
    const auto owner = owners_.find(name);
    const Owner service{"", {endpoint.namespace_, endpoint.service}};
    if (owner != owners_.end() && owner->second == service) out.insert(name);
  }
  for_groups(endpoint, [&](const Group& group) {
    for (const std::string& key : group.objects) {
      const auto object = records_.destinations.find(key);
      if (object == records_.destinations.end()) continue;
      const bool matches = std::ranges::any_of(object->second.services, [&](const model::ServiceSelector& selector) {
        return selects(selector, object->second.meta.namespace_, endpoint);
      });
      if (matches) add_hosts_of_object(key, out);
    }
  });
}

void Planner::add_hosts_of_object(const std::string& key, std::set<std::string>& out) const {
  const auto object = records_.destinations.find(key);
  if (object == records_.destinations.end()) return;
  for (const std::string& host : object->second.hosts) {
    const auto owner = owners_.find(host);
    if (owner != owners_.end() && owner->second.object == key) out.insert(host);
  }
}

void Planner::rebuild_groups() {
  for (auto& [name, group] : groups_) group.objects.clear();
  grouped_by_more_ = false;
  bool fill = false;
  for (const auto& [key, object] : records_.destinations) {
    for (const model::ServiceSelector& selector : object.services) {
      const auto [at, added] = groups_.try_emplace(group_of(selector, object.meta.namespace_));
      at->second.objects.insert(key);
      // a new group of a service is complete: had the service endpoints, its group would exist
      if (added && selector.name.empty()) at->second.filled = false;
      grouped_by_more_ = grouped_by_more_ || selector.name.empty();
      fill = fill || !at->second.filled;
    }
  }
  std::erase_if(groups_, [](const auto& entry) {
    const bool needed = entry.first.starts_with("service ") && entry.second.size() > 0;
    return entry.second.objects.empty() && !needed;
  });
  if (!fill) return;
  for (const auto& [key, endpoint] : records_.endpoints) {
    for_groups(endpoint, [&entry = endpoint](Group& group) {
      if (!group.filled) group.add(&entry);
    });
  }
  for (auto& [name, group] : groups_) group.filled = true;
}

void Planner::claim_by_object(const model::VirtualDestination& object, Owners& owners) {
  const std::string key = object.meta.key();
  const auto refuse = [&](const std::string& why) { conflicts_.push_back({key, why}); };
  for (const std::string& name : object.hosts) {
    if (zone_of(naming_.zones, name).empty()) {
      refuse("host " + name + " is below none of this server's zones");
    } else if (is_static_(name)) {
      refuse("host " + name + " has static records");
    } else if (const auto taken = owners.emplace(name, Owner{key, {}}); !taken.second) {
      refuse("host " + name + " belongs to " + taken.first->second.object);
    }
  }
}

void Planner::claim_by_service(const model::ServiceKey& service, Owners& owners) {
  for (const std::string& zone : naming_.zones) {
    const std::string name = auto_host(naming_, service, zone);
    if (name.empty() || is_static_(name)) continue;
    const auto [at, added] = owners.emplace(name, Owner{"", service});
    if (added || !at->second.object.empty()) continue;
    const model::ServiceKey& older = at->second.service;
    contested_hosts_.insert(name);
    contested_services_.insert(service);
    conflicts_.push_back(
        {"service " + service.namespace_ + "/" + service.name,
         "host " + name + " belongs to service " + older.namespace_ + "/" + older.name + ", which is older"});
  }
}

std::vector<model::ServiceKey> Planner::services_by_claim() const {
  std::vector<std::pair<std::int64_t, model::ServiceKey>> order;
  order.reserve(records_.services.size());
  for (const auto& [key, service] : records_.services) order.emplace_back(service.created, key);
  std::ranges::sort(order);
  std::vector<model::ServiceKey> out;
  out.reserve(order.size());
  for (auto& [created, key] : order) out.push_back(std::move(key));
  return out;
}

// All owners are computed again: what an object or service gives up may be claimed by any other one.
void Planner::settle_objects() {
  rebuild_groups();
  conflicts_.clear();
  contested_hosts_.clear();
  contested_services_.clear();
  Owners owners;
  for (const model::VirtualDestination* object : by_claim(records_)) claim_by_object(*object, owners);
  for (const model::ServiceKey& key : services_by_claim()) claim_by_service(key, owners);
  replace_owners(std::move(owners));
  std::set<std::string> hosts;
  for (const std::string& key : objects_) add_hosts_of_object(key, hosts);
  touch(hosts, Urgency::Addition);
  objects_.clear();
  services_.clear();
}

void Planner::replace_owners(Owners owners) {
  for (const auto& [host, owner] : owners_) {
    if (!owners.contains(host)) erased_.insert(host);
  }
  for (const auto& [host, owner] : owners) {
    const auto old = owners_.find(host);
    if (old == owners_.end() || !(old->second == owner)) queue_.add(host, Urgency::Addition);
  }
  owners_ = std::move(owners);
}

bool Planner::settle_alone(const model::ServiceKey& service) {
  for (const std::string& zone : naming_.zones) {
    const std::string name = auto_host(naming_, service, zone);
    if (name.empty() || is_static_(name)) continue;
    if (contested_hosts_.contains(name)) return false;  // the service's age may have changed, and with it the owner
    const auto [at, added] = owners_.emplace(name, Owner{"", service});
    if (added) queue_.add(name, Urgency::Addition);
    // two services that are new at once also meet here: the one that was settled first need not be the older one
    if (at->second.object.empty() && !(at->second.service == service)) return false;
  }
  return true;
}

void Planner::settle() {
  // a service that went frees its host, which a younger service of the same name may claim
  const bool gone = std::ranges::any_of(services_, [&](const auto& key) { return !records_.services.contains(key); });
  if (gone || !objects_.empty()) return settle_objects();
  if (!std::ranges::all_of(services_, [this](const auto& key) { return settle_alone(key); })) return settle_objects();
  services_.clear();
}

std::size_t Planner::endpoint_count(const Owner& owner) const {
  const auto size_of = [&](const std::string& name) {
    const auto group = groups_.find(name);
    return group == groups_.end() ? std::size_t{0} : group->second.size();
  };
  if (owner.object.empty()) return size_of(service_group(owner.service.namespace_, owner.service.name));
  const model::VirtualDestination& object = records_.destinations.at(owner.object);
  std::size_t out = object.external_endpoints.size();
  for (const model::ServiceSelector& selector : object.services) {
    out += size_of(group_of(selector, object.meta.namespace_));
  }
  return out;
}

Duration Planner::cost_of(const std::string& host, const Cost& cost) const {
  static const model::Policy kAutomatic;
  const auto owner = owners_.find(host);
  if (owner == owners_.end()) return Duration::zero();
  const std::string& object = owner->second.object;
  const model::Policy& policy = object.empty() ? kAutomatic : records_.destinations.at(object).policy;
  return cost(policy, endpoint_count(owner->second));
}

std::optional<HostPlan> Planner::plan(const std::string& host, TimePoint now, const Overrides& overrides) {
  settle();
  const auto owner = owners_.find(host);
  if (owner == owners_.end()) return std::nullopt;
  return plan_of(host, owner->second, {records_, claims_, overrides, now});
}

const std::vector<Conflict>& Planner::conflicts() {
  settle();
  return conflicts_;
}

std::size_t Planner::hosts() {
  settle();
  return owners_.size();
}

std::optional<std::string> Planner::similar_host(const std::string& name) {
  settle();
  if (owners_.size() > kMostGuessedHosts) return std::nullopt;
  std::vector<std::string> hosts;
  for (const auto& [host, owner] : owners_) hosts.push_back(host);
  std::sort(hosts.begin(), hosts.end());  // of equally similar names every server suggests the same
  return did_you_mean(name, hosts);
}

void Planner::add_endpoints_of(const model::ServiceSelector& selector, const std::string& own_namespace,
                               std::vector<const model::Endpoint*>& out) const {
  const auto look_at = [&](const model::Endpoint& endpoint) {
    if (!selects(selector, own_namespace, endpoint)) return;
    const auto node = records_.nodes.find(endpoint.node);
    if (selects_cluster(selector, node == records_.nodes.end() ? "" : node->second.locality.cluster)) {
      out.push_back(&endpoint);
    }
  };
  const auto group = groups_.find(group_of(selector, own_namespace));
  if (group != groups_.end()) {
    for (const model::Endpoint* endpoint : group->second.members()) look_at(*endpoint);
  } else if (selector.name.empty()) {  // no object has needed this group so far
    for (const auto& [key, endpoint] : records_.endpoints) look_at(endpoint);
  }
}

std::vector<const model::Endpoint*> Planner::endpoints_of(const model::ServiceSelector& selector,
                                                          const std::string& own_namespace) {
  settle();
  std::vector<const model::Endpoint*> out;
  add_endpoints_of(selector, own_namespace, out);
  sort_by_key(out);
  return out;
}

std::vector<const model::Endpoint*> Planner::endpoints_of(const model::VirtualDestination& object) const {
  std::vector<const model::Endpoint*> out;
  for (const model::ServiceSelector& selector : object.services) {
    add_endpoints_of(selector, object.meta.namespace_, out);
  }
  sort_by_key(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());  // two selectors may match one endpoint
  return out;
}

std::vector<const model::Endpoint*> Planner::endpoints_of(const Owner& owner) const {
  if (!owner.object.empty()) return endpoints_of(records_.destinations.at(owner.object));
  std::vector<const model::Endpoint*> endpoints;
  const auto group = groups_.find(service_group(owner.service.namespace_, owner.service.name));
  if (group != groups_.end()) endpoints = group->second.members();
  sort_by_key(endpoints);
  return endpoints;
}

HostPlan Planner::plan_of(const std::string& host, const Owner& owner, const PlanContext& context) const {
  const auto endpoints = endpoints_of(owner);
  HostPlan out = owner.object.empty() ? plan_service(context, endpoints)
                                      : plan_object(context, records_.destinations.at(owner.object), endpoints);
  if (out.candidates.size() > kMostCandidates) out.candidates.resize(kMostCandidates);
  out.name = host;
  out.zone = zone_of(naming_.zones, host);
  return out;
}

Plan plan_hosts(const model::Records& records, const HostNaming& naming,
                std::function<bool(const std::string&)> is_static, TimePoint now) {
  Planner planner(records);
  planner.configure(naming, std::move(is_static));
  return {planner.take(now).put, planner.conflicts()};
}

}  // namespace meshdns::topology
