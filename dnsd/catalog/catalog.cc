#include "dnsd/catalog/catalog.h"

#include <iterator>
#include <limits>
#include <utility>

#include "common/model/sources.h"
#include "dnsd/catalog/known_health.h"

namespace meshdns::catalog {
namespace {

constexpr std::size_t kRoomAgain = 20;  // there is room again when a twentieth is free

Refusal not_of_node(const std::string& key, const std::string& node) {
  return {key, "key", in_quotes(key) + " is no key of node " + node};
}

}  // namespace

std::optional<Refusal> Catalog::counted(std::optional<Refusal> refusal) {
  if (refusal) ++refused_records_;
  return refusal;
}

void Catalog::commit(TimePoint now) {
  if (full_ && has_room() && size() + capacity_ / kRoomAgain < capacity_) full_ = false;
  table_.log().commit(now);
}

std::size_t Catalog::room() const {
  if (capacity_ == 0) return std::numeric_limits<std::size_t>::max();
  const std::size_t taken = size() + 2 * held_.endpoints.added();
  return taken >= capacity_ ? 0 : (capacity_ - taken) / 2;
}

// ---- reports ----

template <class Kind, class Record>
void Catalog::change(Kind kind, const std::string& key, const std::optional<Record>& record, TimePoint now) {
  const auto& shown = records().*kind.kMember;
  const Record* known = held_.of(kind).latest(shown, key);
  if (record ? known != nullptr && *known == *record : known == nullptr) return;
  if (frozen()) {
    held_.of(kind).hold(shown, key, record, now);
  } else {
    write(table_, kind, key, record);
  }
}

void Catalog::put_endpoint(const model::Endpoint& reported, TimePoint now) {
  const model::Endpoint* known = latest_endpoint(reported.key);
  const model::Endpoint endpoint = known == nullptr ? reported : with_known_health(reported, *known, now);
  if (known != nullptr && same_but_for_age(*known, endpoint)) return;
  if (frozen()) return held_.endpoints.hold(records().endpoints, endpoint.key, endpoint, now);
  table_.put_endpoint(endpoint, now);
}

void Catalog::remove_endpoint(const std::string& key, TimePoint now) {
  if (frozen()) return held_.endpoints.hold(records().endpoints, key, {}, now);
  table_.erase_endpoint(key, now);
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

NodeUse Catalog::use_of(const std::string& node) const {
  if (!frozen()) return table_.use_of(node);
  NodeUse out;
  for (const std::string& key : keys_of(node)) out.add(*latest_endpoint(key));
  return out;
}

std::optional<Refusal> Catalog::refusal_of(const std::string& node, const model::Endpoint& endpoint, NodeUse& use,
                                           TimePoint now) {
  // a node may not touch another node's endpoint, so not even the health of a kept version is taken
  if (endpoint.node != node || !endpoint.key.starts_with(node + "/")) return not_of_node(endpoint.key, node);
  if (auto refusal = check(endpoint, loopback_)) {
    refusal->unwatched = !keep_watched(endpoint, now);
    return refusal;
  }
  const model::Endpoint* known = latest_endpoint(endpoint.key);
  if (known == nullptr && !has_room()) {
    note_refused_for_room();
    return Refusal{endpoint.key, "", "no room: there are " + std::to_string(size()) + " records", true, false};
  }
  NodeUse after = use;
  if (known != nullptr) after.remove(*known);
  after.add(endpoint);
  if (auto problem = share_problem(use, after)) {
    const bool unwatched = !keep_watched(endpoint, now);
    return Refusal{endpoint.key, "", *std::move(problem), false, unwatched};
  }
  use = after;
  return std::nullopt;
}

std::vector<Refusal> Catalog::put_endpoints(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                            TimePoint now) {
  std::vector<Refusal> refusals;
  NodeUse use = use_of(node);
  for (const model::Endpoint& endpoint : endpoints) {
    if (auto refusal = counted(refusal_of(node, endpoint, use, now))) {
      refusals.push_back(std::move(*refusal));
    } else {
      put_endpoint(endpoint, now);
    }
  }
  return refusals;
}

std::optional<Refusal> Catalog::put_node(const model::Node& node, TimePoint now) {
  if (auto refusal = counted(check(node, loopback_))) return refusal;
  change(NodeKind{}, node.key, std::optional(node), now);
  if (const model::NodeStatus* known = latest_status(node.key)) {
    model::NodeStatus heard;
    heard.problem = known->problem;
    heard.unwatched = known->unwatched;
    heard.since = known->silent || known->in_doubt ? now : known->since;
    change(NodeStatusKind{}, node.key, heard.empty() ? std::nullopt : std::optional(heard), now);
  }
  commit(now);
  return std::nullopt;
}

void Catalog::set_claims(const model::Node& node, TimePoint now) {
  change(NodeKind{}, node.key, std::optional(node), now);
  commit(now);
}

std::vector<Refusal> Catalog::apply_full(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                         const std::set<std::string>& listed, TimePoint now,
                                         std::set<std::string> mentioned) {
  auto refusals = put_endpoints(node, endpoints, now);
  for (const model::Endpoint& endpoint : endpoints) mentioned.insert(endpoint.key);
  const std::set<model::ServiceKey> unpublished = unpublished_services(node);
  for (const std::string& key : keys_of(node)) {
    const model::Endpoint& known = *latest_endpoint(key);
    if (mentioned.contains(key) || !listed.contains(known.source)) continue;
    const bool is_replaced = !model::ends_when_unlisted(known.source) &&
                             known.health.state == model::HealthState::Serving &&
                             unpublished.contains({known.namespace_, known.service});
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
      refusals.push_back(*counted(not_of_node(key, node)));
    }
  }
  commit(now);
  return refusals;
}

void Catalog::withdraw(const std::string& node, TimePoint now) {
  for (const std::string& key : keys_of(node)) remove_endpoint(key, now);
  change(NodeStatusKind{}, node, std::optional<model::NodeStatus>(), now);
  change(NodeKind{}, node, std::optional<model::Node>(), now);
  commit(now);
}

std::vector<Refusal> Catalog::apply_watched(const WatchedChange& watched, TimePoint now) {
  std::vector<Refusal> refusals;
  for (const auto& [key, node] : watched.nodes) {
    if (auto refusal = counted(check(node, loopback_))) {
      refusals.push_back(*std::move(refusal));
    } else {
      change(NodeKind{}, key, std::optional(node), now);
    }
  }
  for (const std::string& key : watched.removals) remove_endpoint(key, now);
  std::map<std::string, std::vector<model::Endpoint>> by_node;
  for (const model::Endpoint& endpoint : watched.endpoints) by_node[endpoint.node].push_back(endpoint);
  for (const auto& [node, endpoints] : by_node) {
    auto more = put_endpoints(node, endpoints, now);
    refusals.insert(refusals.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  for (const auto& [node, status] : watched.statuses) {
    change(NodeStatusKind{}, node, status.empty() ? std::nullopt : std::optional(status), now);
  }
  for (const std::string& node : watched.gone_nodes) {
    change(NodeStatusKind{}, node, std::optional<model::NodeStatus>(), now);
    change(NodeKind{}, node, std::optional<model::Node>(), now);
  }
  commit(now);
  return refusals;
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

std::vector<Refusal> Catalog::set_memberships(const std::vector<std::pair<std::string, model::Memberships>>& of_keys,
                                              TimePoint now) {
  std::vector<Refusal> refusals;
  for (const auto& [key, memberships] : of_keys) {
    const model::Endpoint* known = latest_endpoint(key);
    if (known == nullptr || known->memberships.get() == memberships) continue;
    model::Endpoint joined = *known;
    joined.memberships = memberships;
    NodeUse use = use_of(joined.node);
    if (auto refusal = counted(refusal_of(joined.node, joined, use, now))) {
      refusals.push_back(*std::move(refusal));
    } else {
      put_endpoint(joined, now);
    }
  }
  commit(now);
  return refusals;
}

void Catalog::set_status(const std::string& node, const model::NodeStatus& status, TimePoint now) {
  change(NodeStatusKind{}, node, status.empty() ? std::nullopt : std::optional(status), now);
  commit(now);
}

void Catalog::set_cluster_status(const std::string& cluster, const model::ClusterStatus& status, TimePoint now) {
  change(ClusterStatusKind{}, cluster, status.empty() ? std::nullopt : std::optional(status), now);
  commit(now);
}

void Catalog::set_external_name(const std::string& hostname, const model::ExternalName& name, TimePoint now) {
  const auto record = name.addresses.empty() ? std::nullopt : std::optional(name);
  if (record && !records().external_names.contains(hostname)) {
    table_.put(ExternalNameKind{}, hostname, name);  // even in a freeze: an operator's new object may need it
  } else {
    change(ExternalNameKind{}, hostname, record, now);
  }
  commit(now);
}

std::vector<std::string> Catalog::keys_of(const std::string& node) const {
  return held_.endpoints.keys(records().endpoints, node + "/");
}

std::size_t Catalog::endpoints_of(const std::string& node) const {
  return frozen() ? keys_of(node).size() : table_.use_of(node).endpoints;
}

std::set<model::ServiceKey> Catalog::unpublished_services(const std::string& node) const {
  std::set<model::ServiceKey> out;
  for (const std::string& key : keys_of(node)) {
    const model::Endpoint& endpoint = *latest_endpoint(key);
    if (endpoint.health.state == model::HealthState::Pending) out.insert({endpoint.namespace_, endpoint.service});
  }
  return out;
}

Forgotten Catalog::forget(Duration forget_after, TimePoint now, const MayForget& may_forget) {
  if (frozen()) return {};
  Forgotten out = catalog::forget(table_, forget_after, now, may_forget);
  commit(now);
  return out;
}

// ---- operators ----

template <class Kind, class Object>
std::optional<Refusal> Catalog::put_object(Kind kind, const std::string& key, const Object& object, TimePoint now) {
  if (auto refusal = counted(check(object, loopback_))) return refusal;
  const auto* known = find(kind, records(), key);
  if (known != nullptr && known->second == object) return std::nullopt;
  table_.put(kind, key, object);
  commit(now);
  return std::nullopt;
}

std::optional<Refusal> Catalog::put_destination(const model::VirtualDestination& object, TimePoint now) {
  if (host_rights_) {
    if (auto refusal = counted(host_rights_->check(object))) return refusal;
  }
  return put_object(VirtualDestinationKind{}, object.meta.key(), object, now);
}

std::vector<Refusal> Catalog::forbidden() const {
  std::vector<Refusal> out;
  if (!host_rights_) return out;
  for (const auto& [key, object] : records().destinations) {
    if (auto refusal = host_rights_->check(object)) out.push_back(*std::move(refusal));
  }
  return out;
}

std::optional<Refusal> Catalog::put_cluster(const model::Cluster& object, TimePoint now) {
  return put_object(ClusterKind{}, object.meta.name, object, now);
}

void Catalog::put_override(const model::Override& object, TimePoint now) {
  const auto* known = find(OverrideKind{}, records(), object.meta.name);
  if (known != nullptr && known->second == object) return;
  table_.put_override(object);
  if (!frozen()) release(held_, table_);
  commit(now);
}

bool Catalog::erase_override(const std::string& name, TimePoint now) {
  if (!table_.erase_override(name)) return false;
  if (!frozen()) release(held_, table_);
  commit(now);
  return true;
}

bool Catalog::erase_destination(const std::string& key, TimePoint now) {
  if (!table_.erase(VirtualDestinationKind{}, key)) return false;
  commit(now);
  return true;
}

bool Catalog::erase_cluster(const std::string& name, TimePoint now) {
  if (!table_.erase(ClusterKind{}, name)) return false;
  commit(now);
  return true;
}

// ---- another origin's records ----

template <class Kind, class Record>
std::optional<Refusal> Catalog::mirror_checked(std::optional<Refusal> refusal, Kind kind, const std::string& key,
                                               const Record& record) {
  if (counted(refusal)) return refusal;
  table_.put(kind, key, record);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const model::Node& node) {
  return mirror_checked(check(node, loopback_), NodeKind{}, node.key, node);
}

std::optional<Refusal> Catalog::mirror(const model::Endpoint& endpoint) {
  if (auto refusal = counted(check(endpoint, loopback_))) return refusal;
  table_.mirror_endpoint(endpoint);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const std::string& node, const model::NodeStatus& status) {
  return mirror_checked(check(node, status), NodeStatusKind{}, node, status);
}

std::optional<Refusal> Catalog::mirror(const model::ServiceKey& service, std::int64_t created, bool unexported) {
  if (auto refusal = counted(check(service))) return refusal;
  table_.mirror_service(service, created, unexported);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const model::VirtualDestination& object) {
  return mirror_checked(check(object, loopback_), VirtualDestinationKind{}, object.meta.key(), object);
}

std::optional<Refusal> Catalog::mirror(const model::Cluster& object) {
  return mirror_checked(check(object, loopback_), ClusterKind{}, object.meta.name, object);
}

std::optional<Refusal> Catalog::mirror(const std::string& cluster, const model::ClusterStatus& status) {
  return mirror_checked(check(cluster, status), ClusterStatusKind{}, cluster, status);
}

std::optional<Refusal> Catalog::mirror(const std::string& hostname, const model::ExternalName& name) {
  return mirror_checked(check(hostname, name, loopback_), ExternalNameKind{}, hostname, name);
}

std::optional<Refusal> Catalog::mirror(const model::Override& object) {
  table_.put_override(object);
  return std::nullopt;
}

void Catalog::mirrored(std::uint64_t revision, TimePoint now) {
  if (!table_.log().pending()) return;
  table_.log().continue_as(revision);
  commit(now);
}

}  // namespace meshdns::catalog
