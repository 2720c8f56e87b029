#include "dnsd/topology/host_owners.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/model/clusterset.h"
#include "common/model/limits.h"

namespace meshdns::topology {
namespace {

const std::string kClustersetHosts = "{service}.{namespace}." + std::string(model::kClustersetServices);

std::string replaced(std::string text, std::string_view word, const std::string& value) {
  const auto at = text.find(word);
  return at == std::string::npos ? text : text.replace(at, word.size(), value);
}

/// Returns the automatic host of a service in a zone; empty = it has none.
std::string auto_host(const HostNaming& naming, const model::ServiceKey& service, const std::string& zone) {
  const bool mcs = model::is_clusterset_zone(zone);
  const std::string& pattern = mcs ? kClustersetHosts : naming.auto_hosts;
  if (pattern.empty() || !is_ldh_label(service.name) || !is_ldh_label(service.namespace_)) return "";
  std::string name = replaced(pattern, "{service}", service.name);
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

/// Returns the name of a service in conflicts.
std::string subject_of(const model::ServiceKey& service) {
  return "service " + service.namespace_ + "/" + service.name;
}

}  // namespace

void HostOwners::configure(HostNaming naming, std::function<bool(const std::string&)> is_static) {
  naming_ = std::move(naming);
  is_static_ = std::move(is_static);
}

void HostOwners::claim_by_object(const model::VirtualDestination& object, Owners& owners) {
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

void HostOwners::claim_by_service(const model::ServiceKey& service, Owners& owners) {
  for (const std::string& zone : naming_.zones) {
    const std::string name = auto_host(naming_, service, zone);
    if (!can_have(service, name) || !is_for(service, name)) continue;
    const auto [at, added] = owners.emplace(name, Owner{"", service});
    if (added || !at->second.object.empty()) continue;
    const model::ServiceKey& older = at->second.service;
    contested_hosts_.insert(name);
    hostless_services_.insert(service);
    conflicts_.push_back({subject_of(service), "host " + name + " belongs to service " + older.namespace_ + "/" +
                                                   older.name + ", which is older"});
  }
}

bool HostOwners::is_for(const model::ServiceKey& service, const std::string& host) const {
  if (!model::is_clusterset_host(host)) return true;
  const auto record = records_.services.find(service);
  return record != records_.services.end() && !record->second.unexported;
}

bool HostOwners::can_have(const model::ServiceKey& service, const std::string& host) {
  if (host.empty() || is_static_(host)) return false;
  if (host.size() <= model::kLongestText) return true;
  hostless_services_.insert(service);
  if (too_long_.insert(host).second) {
    conflicts_.push_back({subject_of(service),
                          "host " + host + " is longer than " + std::to_string(model::kLongestText) + " characters"});
  }
  return false;
}

std::vector<model::ServiceKey> HostOwners::services_by_claim() const {
  std::vector<std::pair<std::int64_t, model::ServiceKey>> order;
  order.reserve(records_.services.size());
  for (const auto& [key, service] : records_.services) order.emplace_back(service.created, key);
  std::ranges::sort(order);
  std::vector<model::ServiceKey> out;
  out.reserve(order.size());
  for (auto& [created, key] : order) out.push_back(std::move(key));
  return out;
}

void HostOwners::claim_all(const Visit& owned, const Visit& gone) {
  conflicts_.clear();
  contested_hosts_.clear();
  hostless_services_.clear();
  too_long_.clear();
  Owners owners;
  for (const model::VirtualDestination* object : by_claim(records_)) claim_by_object(*object, owners);
  for (const model::ServiceKey& key : services_by_claim()) claim_by_service(key, owners);
  for (const auto& [host, owner] : owners_) {
    if (!owners.contains(host)) gone(host);
  }
  for (const auto& [host, owner] : owners) {
    const Owner* before = find(host);
    if (before == nullptr || !(*before == owner)) owned(host);
  }
  owners_ = std::move(owners);
}

bool HostOwners::claim(const model::ServiceKey& service, const Visit& owned) {
  for (const std::string& zone : naming_.zones) {
    const std::string name = auto_host(naming_, service, zone);
    if (!can_have(service, name)) continue;
    if (!is_for(service, name)) {
      const Owner* owner = find(name);
      if (owner != nullptr && *owner == Owner{"", service}) return false;  // the service is not exported any more
      continue;
    }
    if (contested_hosts_.contains(name)) return false;  // the service's age may have changed, and with it the owner
    const auto [at, added] = owners_.emplace(name, Owner{"", service});
    if (added) owned(name);
    // two services that are new at once also meet here: the one that was settled first need not be the older one
    if (at->second.object.empty() && !(at->second.service == service)) return false;
  }
  return true;
}

const HostOwners::Owner* HostOwners::find(const std::string& host) const {
  const auto found = owners_.find(host);
  return found == owners_.end() ? nullptr : &found->second;
}

void HostOwners::add_hosts_of(const model::VirtualDestination& object, std::set<std::string>& out) const {
  const std::string key = object.meta.key();
  for (const std::string& host : object.hosts) {
    const Owner* owner = find(host);
    if (owner != nullptr && owner->object == key) out.insert(host);
  }
}

void HostOwners::add_hosts_of(const model::ServiceKey& service, std::set<std::string>& out) const {
  const Owner wanted{"", service};
  for (const std::string& zone : naming_.zones) {
    const std::string name = auto_host(naming_, service, zone);
    const Owner* owner = find(name);
    if (owner != nullptr && *owner == wanted) out.insert(name);
  }
}

}  // namespace meshdns::topology
