#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/model/records.h"
#include "common/time/time.h"
#include "dnsd/catalog/record_table.h"

namespace meshdns::catalog {

/// The changes of one record type that wait for a thaw: for each key the last one. `shown` in all functions is the
/// catalog's map of the records as they stay meanwhile. Used by Catalog only. Pure.
template <class Record>
class HeldMap {
 public:
  using Shown = std::map<std::string, Record>;
  struct Change {
    std::optional<Record> record;  // nothing = the record is to be removed
    TimePoint at{};                // when the change was reported
  };

  /// Returns the record as if all changes were applied; null = none.
  const Record* latest(const Shown& shown, const std::string& key) const {
    if (const auto held = changes_.find(key); held != changes_.end()) {
      return held->second.record ? &*held->second.record : nullptr;
    }
    const auto found = shown.find(key);
    return found == shown.end() ? nullptr : &found->second;
  }

  /// Keeps a change. A change that leads back to the shown record removes the waiting one.
  void hold(const Shown& shown, const std::string& key, std::optional<Record> record, TimePoint now) {
    const auto found = shown.find(key);
    const bool known = found != shown.end();
    if (const auto held = changes_.find(key); held != changes_.end()) {
      if (!known && held->second.record) --added_;
      changes_.erase(held);
    }
    if (known ? record && *record == found->second : !record) return;
    if (!known) ++added_;
    changes_[key] = {std::move(record), now};
  }

  /// Returns the keys that begin with `prefix` as if all changes were applied. They are not in order.
  std::vector<std::string> keys(const Shown& shown, const std::string& prefix) const {
    std::vector<std::string> out;
    for (auto at = shown.lower_bound(prefix); at != shown.end() && at->first.starts_with(prefix); ++at) {
      if (!changes_.contains(at->first)) out.push_back(at->first);
    }
    for (auto at = changes_.lower_bound(prefix); at != changes_.end() && at->first.starts_with(prefix); ++at) {
      if (at->second.record) out.push_back(at->first);
    }
    return out;
  }

  /// Returns all changes and forgets them.
  std::map<std::string, Change> take() {
    added_ = 0;
    return std::exchange(changes_, {});
  }

  std::size_t size() const { return changes_.size(); }
  /// The number of changes that add a record.
  std::size_t added() const { return added_; }

 private:
  std::map<std::string, Change> changes_;
  std::size_t added_ = 0;
};

/// The changes from agents and measurements while the mesh is frozen. They are merged by key, so there are never more
/// changes than records.
struct HeldChanges {
  HeldMap<model::Node> nodes;
  HeldMap<model::NodeStatus> statuses;
  HeldMap<model::Endpoint> endpoints;
  HeldMap<model::ClusterStatus> cluster_statuses;
  HeldMap<model::ExternalName> external_names;

  HeldMap<model::Node>& of(NodeKind) { return nodes; }
  HeldMap<model::NodeStatus>& of(NodeStatusKind) { return statuses; }
  HeldMap<model::ClusterStatus>& of(ClusterStatusKind) { return cluster_statuses; }
  HeldMap<model::ExternalName>& of(ExternalNameKind) { return external_names; }

  std::size_t size() const {
    return nodes.size() + statuses.size() + endpoints.size() + cluster_statuses.size() + external_names.size();
  }
};

/// Sets a record; nothing = erases it. The caller commits.
template <class Kind, class Record>
void write(RecordTable& table, Kind kind, const std::string& key, const std::optional<Record>& record) {
  if (record) {
    table.put(kind, key, *record);
  } else {
    table.erase(kind, key);
  }
}

/// Applies all held changes and forgets them. The caller commits.
void release(HeldChanges& held, RecordTable& table);

}  // namespace meshdns::catalog
