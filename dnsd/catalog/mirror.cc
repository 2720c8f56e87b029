#include "dnsd/catalog/catalog.h"

#include <algorithm>

namespace meshdns::catalog {

std::optional<Refusal> Catalog::mirror(const model::Node& node) {
  if (auto refusal = counted(check(node, loopback_))) return refusal;
  records_.nodes[node.key] = node;
  note(RecordType::Node, node.key, false);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const model::Endpoint& endpoint) {
  if (auto refusal = counted(check(endpoint, loopback_))) return refusal;
  const model::ServiceKey service{endpoint.namespace_, endpoint.service};
  auto& endpoints = records_.endpoints;
  const bool beyond_all = endpoints.empty() || endpoints.rbegin()->first < endpoint.key;
  const auto known = beyond_all ? endpoints.end() : endpoints.find(endpoint.key);
  if (known != endpoints.end()) {
    const model::ServiceKey before{known->second.namespace_, known->second.service};
    if (--records_.services[before].endpoints == 0) idle_services_.insert(before);
  }
  add_to_service(service);
  store_endpoint(endpoint);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const std::string& node, const model::NodeStatus& status) {
  if (auto refusal = counted(check(node, status))) return refusal;
  records_.statuses[node] = status;
  note(RecordType::NodeStatus, node, false);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const model::ServiceKey& service, std::int64_t created) {
  if (auto refusal = counted(check(service))) return refusal;
  model::Service& known = records_.services[service];
  known.created = created;
  youngest_service_ = std::max(youngest_service_, created);
  if (known.endpoints == 0) idle_services_.insert(service);
  note(RecordType::Service, service_key_text(service), false);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const model::VirtualDestination& object) {
  if (auto refusal = counted(check(object, loopback_))) return refusal;
  records_.destinations[object.meta.key()] = object;
  note(RecordType::VirtualDestination, object.meta.key(), false);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const model::Cluster& object) {
  if (auto refusal = counted(check(object, loopback_))) return refusal;
  records_.clusters[object.meta.name] = object;
  note(RecordType::Cluster, object.meta.name, false);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const std::string& cluster, const model::ClusterStatus& status) {
  if (auto refusal = counted(check(cluster, status))) return refusal;
  records_.cluster_statuses[cluster] = status;
  note(RecordType::ClusterStatus, cluster, false);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const std::string& hostname, const model::ExternalName& name) {
  if (auto refusal = counted(check(hostname, name, loopback_))) return refusal;
  records_.external_names[hostname] = name;
  note(RecordType::ExternalName, hostname, false);
  return std::nullopt;
}

std::optional<Refusal> Catalog::mirror(const model::Override& object) {
  store_override(object);
  return std::nullopt;
}

void Catalog::unmirror(RecordType type, const std::string& key) {
  if (type == RecordType::Endpoint) {
    erase_endpoint(key, changed_);
    return;
  }
  if (type == RecordType::Override) {
    drop_override(key);
  } else {
    RecordKinds::visit(type, [&](auto kind) { (records_.*kind.kMember).erase(kind.key_of(key)); });
  }
  note(type, key, true);
}

void Catalog::mirrored(std::uint64_t revision, TimePoint now) {
  if (pending_.empty() && !pending_overflow_) return;
  if (revision <= revision_) forget_log(revision - 1);  // a new epoch: no delta leads from the old revisions
  revision_ = revision - 1;
  commit(now);
}

}  // namespace meshdns::catalog
