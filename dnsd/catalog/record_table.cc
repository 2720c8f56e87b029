#include "dnsd/catalog/record_table.h"

#include <algorithm>
#include <utility>

#include "common/model/memberships.h"

namespace meshdns::catalog {

std::size_t RecordTable::size() const {
  std::size_t out = 0;
  RecordKinds::each([&](auto kind) { out += (records_.*kind.kMember).size(); });
  return out;
}

void RecordTable::note(RecordType type, const std::string& key, bool removed) {
  log_.note(type, key, removed);
  if (noted_) noted_(type, key);
  if (observer_ == nullptr) return;
  RecordKinds::visit(type, [&](auto kind) { kind.changed(*observer_, key); });
}

void RecordTable::put_endpoint(const model::Endpoint& endpoint, TimePoint now) {
  const auto found = records_.endpoints.find(endpoint.key);
  const bool known = found != records_.endpoints.end();
  if (known && (found->second.namespace_ != endpoint.namespace_ || found->second.service != endpoint.service)) {
    erase_endpoint(endpoint.key, now);
    add_to_services(endpoint);
  } else if (!known || !same_services(found->second, endpoint)) {
    add_to_services(endpoint);  // first: a service that stays must not look idle in between
    if (known) leave_services(found->second, now);
  }
  store_endpoint(endpoint);
}

void RecordTable::mirror_endpoint(const model::Endpoint& endpoint) {
  auto& endpoints = records_.endpoints;
  const bool beyond_all = endpoints.empty() || endpoints.rbegin()->first < endpoint.key;
  const auto known = beyond_all ? endpoints.end() : endpoints.find(endpoint.key);
  if (known == endpoints.end() || !same_services(known->second, endpoint)) {
    if (known != endpoints.end()) leave_services(known->second, std::nullopt);
    add_to_services(endpoint);
  }
  store_endpoint(endpoint);
}

void RecordTable::store_endpoint(const model::Endpoint& endpoint) {
  const std::size_t before = records_.endpoints.size();
  // hint: a whole set comes in the order of its keys, so each one goes to the end
  const auto at = records_.endpoints.try_emplace(records_.endpoints.end(), endpoint.key, endpoint);
  const bool added = records_.endpoints.size() > before;
  model::Endpoint& known = at->second;
  if (!added) uses_.remove(known);
  uses_.add(endpoint);
  const bool entered = added || !same_services(known, endpoint) || known.labels != endpoint.labels || known.addresses != endpoint.addresses;
  if (observer_ != nullptr && entered && !added) observer_->endpoint_leaves(known);
  if (!added) known = endpoint;
  labels_.share(known.labels);
  ports_.share(known.ports);
  memberships_.share(known.memberships);
  if (observer_ != nullptr) entered ? observer_->endpoint_entered(known) : observer_->endpoint_updated(known);
  note(RecordType::Endpoint, endpoint.key, false);
}

void RecordTable::add_to_services(const model::Endpoint& endpoint) {
  for (const model::ServiceKey& service : services_of(endpoint)) add_to_service(service);
}

void RecordTable::leave_services(const model::Endpoint& endpoint, std::optional<TimePoint> now) {
  for (const model::ServiceKey& key : services_of(endpoint)) {
    model::Service& service = records_.services[key];
    if (--service.endpoints > 0) continue;
    if (now) service.gone_since = *now;
    idle_services_.insert(key);
  }
}

void RecordTable::add_to_service(const model::ServiceKey& service) {
  const auto [entry, added] = records_.services.try_emplace(service);
  ++entry->second.endpoints;
  if (added && unix_seconds_) {
    youngest_service_ = std::max(1000 * unix_seconds_(), youngest_service_ + 1);
    entry->second.created = youngest_service_;
  }
  if (added) note(RecordType::Service, service_key_text(service), false);
}

void RecordTable::mirror_service(const model::ServiceKey& service, std::int64_t created) {
  model::Service& known = records_.services[service];
  known.created = created;
  youngest_service_ = std::max(youngest_service_, created);
  if (known.endpoints == 0) idle_services_.insert(service);
  note(RecordType::Service, service_key_text(service), false);
}

void RecordTable::erase_endpoint(const std::string& key, TimePoint now) {
  const auto found = records_.endpoints.find(key);
  if (found == records_.endpoints.end()) return;
  leave_services(found->second, now);
  if (observer_ != nullptr) observer_->endpoint_leaves(found->second);
  uses_.remove(found->second);
  const std::string gone = key;  // copied: `key` may be the erased record's own
  records_.endpoints.erase(found);
  note(RecordType::Endpoint, gone, true);
  if (erased_) erased_(gone);
}

std::vector<model::ServiceKey> RecordTable::erase_idle_services(Duration after, TimePoint now) {
  std::vector<model::ServiceKey> out;
  std::erase_if(idle_services_, [&](const model::ServiceKey& key) {
    const auto found = records_.services.find(key);
    if (found == records_.services.end() || found->second.endpoints > 0) return true;
    // mirrored records come without that moment: the time counts from the first look
    if (found->second.gone_since == TimePoint{}) found->second.gone_since = now;
    if (now - found->second.gone_since < after) return false;
    records_.services.erase(found);
    note(RecordType::Service, service_key_text(key), true);
    out.push_back(key);
    return true;
  });
  return out;
}

void RecordTable::place_override(const std::string& key, const model::Override& object) {
  drop_override(key);
  records_.overrides[key] = object;
  frozen_ = frozen_ || object.action == model::Action::Freeze;
  if (observer_ != nullptr) observer_->override_changed(object);
}

bool RecordTable::drop_override(const std::string& key) {
  const auto found = records_.overrides.find(key);
  if (found == records_.overrides.end()) return false;
  const model::Override before = std::move(found->second);
  records_.overrides.erase(found);
  frozen_ = std::ranges::any_of(records_.overrides,
                                [](const auto& entry) { return entry.second.action == model::Action::Freeze; });
  if (observer_ != nullptr) observer_->override_changed(before);
  return true;
}

void RecordTable::put_override(const model::Override& object) {
  place_override(object.meta.name, object);
  note(RecordType::Override, object.meta.name, false);
}

bool RecordTable::erase_override(const std::string& name) {
  if (!drop_override(name)) return false;
  note(RecordType::Override, name, true);
  return true;
}

void RecordTable::remove(RecordType type, const std::string& key) {
  if (type == RecordType::Endpoint) return erase_endpoint(key, log_.changed());
  if (type == RecordType::Override) {
    drop_override(key);
  } else {
    RecordKinds::visit(type, [&](auto kind) { (records_.*kind.kMember).erase(kind.key_of(key)); });
  }
  note(type, key, true);
}

}  // namespace meshdns::catalog
