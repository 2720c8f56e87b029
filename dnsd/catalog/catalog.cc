#include "dnsd/catalog/catalog.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/model/lookup.h"

namespace meshdns::catalog {
namespace {

constexpr std::size_t kRoomAgain = 20;  // there is room again when a twentieth is free

/// Returns whether two endpoints are equal except for the moments since when, which every process counts on its own
/// clock.
bool same_but_for_age(const model::Endpoint& a, const model::Endpoint& b) {
  if (a.health.state != b.health.state) return false;
  model::Endpoint copy = a;
  copy.health.since = b.health.since;
  copy.health.drain_until = b.health.drain_until;
  return copy == b;
}

/// Keeps the known state of an address family that the agent has not judged yet, if the address is the same.
void keep_known_family(model::Endpoint& reported, const model::Endpoint& known, Family family) {
  std::optional<model::HealthState>& state = reported.health.out(family);
  if (state != model::HealthState::Pending || known.health.state == model::HealthState::Pending) return;
  const auto address = model::first_of(reported.addresses, family);
  if (address && address == model::first_of(known.addresses, family)) state = known.health.out(family);
}

/// Returns the reported endpoint with the known health where the agent has none yet. An agent that has just started
/// knows nothing of an endpoint that was published before, so the last health stays until the agent has a result of its
/// own. As many failures as a verdict needs are such a result.
model::Endpoint with_known_health(model::Endpoint reported, const model::Endpoint& known, TimePoint now) {
  using enum model::HealthState;
  model::Health& health = reported.health;
  if (reported.uid != known.uid) return reported;
  keep_known_family(reported, known, Family::V4);
  keep_known_family(reported, known, Family::V6);
  if (health.state != Pending || known.health.state == Pending) return reported;
  const bool failed = health.needed > 0 && health.streak >= health.needed;
  if (!failed) {
    health = known.health;
    reported.unwatched = known.unwatched;
    return reported;
  }
  health.state = Failing;
  health.since = known.health.state == Failing ? known.health.since : now;
  health.streak = health.needed = 0;
  health.v4 = known.health.v4;
  health.v6 = known.health.v6;
  return reported;
}

}  // namespace

std::string service_key_text(const model::ServiceKey& key) { return key.namespace_ + "/" + key.name; }

model::ServiceKey service_key_of(const std::string& text) {
  const auto slash = text.find('/');
  return {text.substr(0, slash), slash == std::string::npos ? "" : text.substr(slash + 1)};
}

void Catalog::note(RecordType type, const std::string& key, bool removed) {
  pending_types_[static_cast<std::size_t>(type)] = true;
  if (pending_.size() < log_length_) {
    pending_.push_back({0, type, key, removed});
  } else {
    pending_overflow_ = true;
  }
  if (noted_) noted_(type, key);
  if (observer_ == nullptr) return;
  RecordKinds::visit(type, [&](auto kind) { kind.changed(*observer_, key); });
}

std::size_t Catalog::size() const {
  std::size_t out = 0;
  RecordKinds::each([&](auto kind) { out += (records_.*kind.kMember).size(); });
  return out;
}

std::size_t Catalog::room() const {
  if (capacity_ == 0) return std::numeric_limits<std::size_t>::max();
  const std::size_t taken = size() + 2 * held_.endpoints.added();
  return taken >= capacity_ ? 0 : (capacity_ - taken) / 2;
}

void Catalog::commit(TimePoint now) {
  if (full_ && has_room() && size() + capacity_ / kRoomAgain < capacity_) full_ = false;
  if (pending_.empty() && !pending_overflow_) return;
  ++revision_;
  ++generation_;
  changed_ = now;
  for (std::size_t type = 0; type < kRecordTypes; ++type) {
    if (std::exchange(pending_types_[type], false)) touched_[type] = generation_;
  }
  for (Change& change : pending_) {
    change.revision = revision_;
    log_.push_back(std::move(change));
  }
  pending_.clear();
  if (std::exchange(pending_overflow_, false)) return forget_log(revision_);
  while (log_.size() > log_length_) {
    log_begins_after_ = log_.front().revision;
    log_.pop_front();
  }
}

void Catalog::forget_log(std::uint64_t up_to) {
  log_.clear();
  log_begins_after_ = up_to;
}

std::optional<std::vector<Change>> Catalog::changes_since(std::uint64_t revision) const {
  if (revision < log_begins_after_ || revision > revision_) return std::nullopt;
  const auto begin = std::ranges::upper_bound(log_, revision, {}, &Change::revision);
  return std::vector<Change>(begin, log_.end());
}

void Catalog::put_endpoint(const model::Endpoint& reported, TimePoint now) {
  const model::Endpoint* known = latest_endpoint(reported.key);
  const model::Endpoint endpoint = known == nullptr ? reported : with_known_health(reported, *known, now);
  if (known != nullptr && same_but_for_age(*known, endpoint)) return;
  if (frozen_) return held_.endpoints.hold(records_.endpoints, endpoint.key, endpoint, now);
  write_endpoint(endpoint, now);
}

void Catalog::write_endpoint(const model::Endpoint& endpoint, TimePoint now) {
  const auto found = records_.endpoints.find(endpoint.key);
  const model::ServiceKey service{endpoint.namespace_, endpoint.service};
  if (found != records_.endpoints.end() &&
      service != model::ServiceKey{found->second.namespace_, found->second.service}) {
    erase_endpoint(endpoint.key, now);
  }
  if (!records_.endpoints.contains(endpoint.key)) add_to_service(service);
  store_endpoint(endpoint);
}

void Catalog::store_endpoint(const model::Endpoint& endpoint) {
  const std::size_t before = records_.endpoints.size();
  // hint: a whole set comes in the order of its keys, so each one goes to the end
  const auto at = records_.endpoints.try_emplace(records_.endpoints.end(), endpoint.key, endpoint);
  const bool added = records_.endpoints.size() > before;
  model::Endpoint& known = at->second;
  if (!added) count_use(known, false);
  count_use(endpoint, true);
  const bool entered = added || known.namespace_ != endpoint.namespace_ || known.service != endpoint.service ||
                       known.labels != endpoint.labels || known.addresses != endpoint.addresses;
  if (observer_ != nullptr && entered && !added) observer_->endpoint_leaves(known);
  if (!added) known = endpoint;
  labels_.share(known.labels);
  ports_.share(known.ports);
  if (observer_ != nullptr) entered ? observer_->endpoint_entered(known) : observer_->endpoint_updated(known);
  note(RecordType::Endpoint, endpoint.key, false);
}

void Catalog::add_to_service(const model::ServiceKey& service) {
  const auto [entry, added] = records_.services.try_emplace(service);
  ++entry->second.endpoints;
  if (added && unix_seconds_) {
    youngest_service_ = std::max(1000 * unix_seconds_(), youngest_service_ + 1);
    entry->second.created = youngest_service_;
  }
  if (added) note(RecordType::Service, service_key_text(service), false);
}

bool Catalog::keep_watched(const model::Endpoint& refused, TimePoint now) {
  const model::Endpoint* known = latest_endpoint(refused.key);
  if (known == nullptr) return true;
  if (known->addresses != refused.addresses || known->ports != refused.ports) return false;
  model::Endpoint kept = *known;
  kept.health = refused.health;
  kept.unwatched = false;
  put_endpoint(kept, now);
  return true;
}

void Catalog::set_unwatched(const std::vector<std::string>& keys, TimePoint now) {
  for (const std::string& key : keys) {
    const model::Endpoint* known = latest_endpoint(key);
    if (known == nullptr || known->unwatched) continue;
    model::Endpoint unwatched = *known;
    unwatched.unwatched = true;
    put_endpoint(unwatched, now);
  }
  commit(now);
}

std::set<model::ServiceKey> Catalog::unpublished_services(const std::string& node) const {
  std::set<model::ServiceKey> out;
  for (const std::string& key : keys_of(node)) {
    const model::Endpoint& endpoint = *latest_endpoint(key);
    if (endpoint.health.state == model::HealthState::Pending) out.insert({endpoint.namespace_, endpoint.service});
  }
  return out;
}

void Catalog::remove_endpoint(const std::string& key, TimePoint now) {
  if (frozen_) return held_.endpoints.hold(records_.endpoints, key, {}, now);
  erase_endpoint(key, now);
}

void Catalog::erase_endpoint(const std::string& key, TimePoint now) {
  const auto found = records_.endpoints.find(key);
  if (found == records_.endpoints.end()) return;
  model::Service& service = records_.services[{found->second.namespace_, found->second.service}];
  if (--service.endpoints == 0) {
    service.gone_since = now;
    idle_services_.insert({found->second.namespace_, found->second.service});
  }
  if (observer_ != nullptr) observer_->endpoint_leaves(found->second);
  count_use(found->second, false);
  const std::string gone = key;  // copied: `key` may be the erased record's own
  records_.endpoints.erase(found);
  note(RecordType::Endpoint, gone, true);
  if (erased_) erased_(gone);
}

std::vector<std::string> Catalog::keys_of(const std::string& node) const {
  return held_.endpoints.keys(records_.endpoints, node + "/");
}

std::size_t Catalog::endpoints_of(const std::string& node) const { return keys_of(node).size(); }

std::vector<Refusal> Catalog::apply_full(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                         const std::set<std::string>& listed, TimePoint now) {
  auto refusals = put_endpoints(node, endpoints, now);
  std::set<std::string> mentioned;
  for (const model::Endpoint& endpoint : endpoints) mentioned.insert(endpoint.key);
  const std::set<model::ServiceKey> unpublished = unpublished_services(node);
  for (const std::string& key : keys_of(node)) {
    const model::Endpoint& known = *latest_endpoint(key);
    if (mentioned.contains(key) || !listed.contains(known.source)) continue;
    const bool is_replaced =
        known.health.state == model::HealthState::Serving && unpublished.contains({known.namespace_, known.service});
    if (!is_replaced) remove_endpoint(key, now);
  }
  commit(now);
  return refusals;
}

std::vector<Refusal> Catalog::apply_delta(const std::string& node, const std::vector<model::Endpoint>& upserts,
                                          const std::vector<std::string>& removals, TimePoint now) {
  auto refusals = put_endpoints(node, upserts, now);
  for (const std::string& key : removals) {
    if (key.starts_with(node + "/")) {
      remove_endpoint(key, now);
    } else {
      refusals.push_back(*counted(Refusal{key, "key", in_quotes(key) + " is no key of node " + node}));
    }
  }
  commit(now);
  return refusals;
}

std::optional<Refusal> Catalog::put_destination(const model::VirtualDestination& object, TimePoint now) {
  if (auto refusal = counted(check(object, loopback_))) return refusal;
  const std::string key = object.meta.key();
  const auto found = records_.destinations.find(key);
  if (found != records_.destinations.end() && found->second == object) return std::nullopt;
  records_.destinations[key] = object;
  note(RecordType::VirtualDestination, key, false);
  commit(now);
  return std::nullopt;
}

std::optional<Refusal> Catalog::put_cluster(const model::Cluster& object, TimePoint now) {
  if (auto refusal = counted(check(object, loopback_))) return refusal;
  const auto found = records_.clusters.find(object.meta.name);
  if (found != records_.clusters.end() && found->second == object) return std::nullopt;
  records_.clusters[object.meta.name] = object;
  note(RecordType::Cluster, object.meta.name, false);
  commit(now);
  return std::nullopt;
}

void Catalog::store_override(const model::Override& object) {
  place_override(object.meta.name, object);
  note(RecordType::Override, object.meta.name, false);
}

void Catalog::place_override(const std::string& key, const model::Override& object) {
  drop_override(key);
  records_.overrides[key] = object;
  frozen_ = frozen_ || object.action == model::Action::Freeze;
  if (observer_ != nullptr) observer_->override_changed(object);
}

bool Catalog::drop_override(const std::string& key) {
  const auto found = records_.overrides.find(key);
  if (found == records_.overrides.end()) return false;
  const model::Override before = std::move(found->second);
  records_.overrides.erase(found);
  frozen_ = std::ranges::any_of(records_.overrides,
                                [](const auto& entry) { return entry.second.action == model::Action::Freeze; });
  if (observer_ != nullptr) observer_->override_changed(before);
  return true;
}

void Catalog::put_override(const model::Override& object, TimePoint now) {
  const auto found = records_.overrides.find(object.meta.name);
  if (found != records_.overrides.end() && found->second == object) return;
  store_override(object);
  if (!frozen_) release();
  commit(now);
}

bool Catalog::erase_override(const std::string& name, TimePoint now) {
  if (!drop_override(name)) return false;
  note(RecordType::Override, name, true);
  if (!frozen_) release();
  commit(now);
  return true;
}

bool Catalog::erase_destination(const std::string& key, TimePoint now) {
  if (records_.destinations.erase(key) == 0) return false;
  note(RecordType::VirtualDestination, key, true);
  commit(now);
  return true;
}

bool Catalog::erase_cluster(const std::string& name, TimePoint now) {
  if (records_.clusters.erase(name) == 0) return false;
  note(RecordType::Cluster, name, true);
  commit(now);
  return true;
}

}  // namespace meshdns::catalog
