#include "dnsd/catalog/held_changes.h"

#include "dnsd/catalog/catalog.h"

// The part of Catalog for changes from agents and measurements: they are applied at once, or held back while the mesh
// is frozen.

namespace meshdns::catalog {

template <class Record>
void Catalog::write(const Kind<Record>& kind, const std::string& key, const std::optional<Record>& record) {
  if (record) {
    kind.shown[key] = *record;
  } else if (kind.shown.erase(key) == 0) {
    return;
  }
  note(kind.type, key, !record);
}

template <class Record>
void Catalog::change(const Kind<Record>& kind, const std::string& key, const std::optional<Record>& record,
                     TimePoint now) {
  const Record* known = kind.held.latest(kind.shown, key);
  if (record ? known != nullptr && *known == *record : known == nullptr) return;
  if (frozen_) {
    kind.held.hold(kind.shown, key, record, now);
  } else {
    write(kind, key, record);
  }
}

template <class Record>
void Catalog::release(const Kind<Record>& kind) {
  for (const auto& [key, change] : kind.held.take()) write(kind, key, change.record);
}

void Catalog::release() {
  // a node has to exist as long as its endpoints do: new nodes first, removed nodes last
  const auto nodes_held = held_.nodes.take();
  for (const auto& [key, change] : nodes_held) {
    if (change.record) write(nodes(), key, change.record);
  }
  for (const auto& [key, change] : held_.endpoints.take()) {
    if (change.record) {
      write_endpoint(*change.record, change.at);
    } else {
      erase_endpoint(key, change.at);
    }
  }
  release(statuses());
  release(cluster_statuses());
  release(external_names());
  for (const auto& [key, change] : nodes_held) {
    if (!change.record) write(nodes(), key, change.record);
  }
}

std::optional<Refusal> Catalog::put_node(const model::Node& node, TimePoint now) {
  if (auto refusal = counted(check(node, loopback_))) return refusal;
  change(nodes(), node.key, std::optional(node), now);
  if (const model::NodeStatus* known = latest_status(node.key)) {
    model::NodeStatus heard;
    heard.problem = known->problem;
    heard.unwatched = known->unwatched;
    heard.since = known->silent || known->in_doubt ? now : known->since;
    change(statuses(), node.key, heard.empty() ? std::nullopt : std::optional(heard), now);
  }
  commit(now);
  return std::nullopt;
}

void Catalog::withdraw(const std::string& node, TimePoint now) {
  for (const std::string& key : keys_of(node)) remove_endpoint(key, now);
  change(statuses(), node, {}, now);
  change(nodes(), node, {}, now);
  commit(now);
}

void Catalog::set_status(const std::string& node, const model::NodeStatus& status, TimePoint now) {
  change(statuses(), node, status.empty() ? std::nullopt : std::optional(status), now);
  commit(now);
}

void Catalog::set_cluster_status(const std::string& cluster, const model::ClusterStatus& status, TimePoint now) {
  change(cluster_statuses(), cluster, status.empty() ? std::nullopt : std::optional(status), now);
  commit(now);
}

void Catalog::set_external_name(const std::string& hostname, const model::ExternalName& name, TimePoint now) {
  const auto record = name.addresses.empty() ? std::nullopt : std::optional(name);
  if (record && !records_.external_names.contains(hostname)) {
    write(external_names(), hostname, record);  // even in a freeze: an operator's new object may need it
  } else {
    change(external_names(), hostname, record, now);
  }
  commit(now);
}

}  // namespace meshdns::catalog
