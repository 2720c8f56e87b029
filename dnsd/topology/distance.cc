#include "dnsd/topology/distance.h"

namespace meshdns::topology {
namespace {

template <class Record>
const Record* find(const std::map<std::string, Record>& records, const std::string& key) {
  const auto found = records.find(key);
  return found == records.end() ? nullptr : &found->second;
}

/// What a cluster's record has about another one.
template <class Record>
std::optional<Duration> stated(const Record* record, const std::string& other) {
  if (record == nullptr) return std::nullopt;
  const auto entry = record->distances.find(other);
  if (entry == record->distances.end()) return std::nullopt;
  return entry->second;
}

}  // namespace

DistancesFrom::DistancesFrom(const Geography& geography, const std::string& from)
    : geography_(geography),
      from_(from),
      cluster_(find(geography.clusters, from)),
      status_(find(geography.statuses, from)) {}

std::optional<Duration> DistancesFrom::to(const std::string& cluster) const {
  if (from_.empty() || cluster.empty()) return std::nullopt;
  if (from_ == cluster) return Duration::zero();
  if (const auto there = stated(cluster_, cluster)) return there;
  if (const auto back = stated(find(geography_.clusters, cluster), from_)) return back;
  if (const auto there = stated(status_, cluster)) return there;
  return stated(find(geography_.statuses, cluster), from_);
}

std::optional<Duration> distance(const Geography& geography, const std::string& from, const std::string& to) {
  return DistancesFrom(geography, from).to(to);
}

}  // namespace meshdns::topology
