#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/model/records.h"
#include "common/time/time.h"

namespace meshdns::catalog {

/// Changes of records of one type that wait: of each key the last one. `shown` are the records that stay as they are
/// meanwhile. Pure.
template <class Record>
class HeldMap {
 public:
  using Shown = std::map<std::string, Record>;
  struct Change {
    std::optional<Record> record;  // nothing = it goes
    TimePoint at{};                // when that was told
  };

  /// The record as it would be if nothing waited; null = there is none.
  const Record* latest(const Shown& shown, const std::string& key) const {
    if (const auto held = changes_.find(key); held != changes_.end()) {
      return held->second.record ? &*held->second.record : nullptr;
    }
    const auto found = shown.find(key);
    return found == shown.end() ? nullptr : &found->second;
  }

  /// A change that leads back to what is shown is none.
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

  /// Of the records that begin so, as they would be if nothing waited.
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

  std::map<std::string, Change> take() {
    added_ = 0;
    return std::exchange(changes_, {});
  }

  std::size_t size() const { return changes_.size(); }
  /// How many of them are records that are not shown yet.
  std::size_t added() const { return added_; }

 private:
  std::map<std::string, Change> changes_;
  std::size_t added_ = 0;
};

/// What agents tell and what is measured while the mesh is frozen: merged by key, so that there are never more changes
/// than records.
struct HeldChanges {
  HeldMap<model::Node> nodes;
  HeldMap<model::NodeStatus> statuses;
  HeldMap<model::Endpoint> endpoints;
  HeldMap<model::ClusterStatus> cluster_statuses;
  HeldMap<model::ExternalName> external_names;

  std::size_t size() const {
    return nodes.size() + statuses.size() + endpoints.size() + cluster_statuses.size() + external_names.size();
  }
};

}  // namespace meshdns::catalog
