#include "dnsd/topology/distance.h"

#include "common/base/names.h"
#include "common/model/named.h"

namespace meshdns::topology {
namespace {

using model::find_named;

/// Returns the distance to another cluster that a record states.
template <class Record>
std::optional<Duration> stated(const Record* record, const std::string& other) {
  if (record == nullptr) return std::nullopt;
  const Duration* distance = find_named(record->distances, other);
  return distance == nullptr ? std::nullopt : std::optional(*distance);
}

}  // namespace

DistancesFrom::DistancesFrom(const Geography& geography, const std::string& from)
    : geography_(geography),
      from_(from),
      cluster_(find_named(geography.clusters, from)),
      status_(find_named(geography.statuses, from)) {}

std::optional<Duration> DistancesFrom::to(const std::string& cluster) const {
  if (from_.empty() || cluster.empty()) return std::nullopt;
  if (same_name(from_, cluster)) return Duration::zero();
  if (const auto there = stated(cluster_, cluster)) return there;
  if (const auto back = stated(find_named(geography_.clusters, cluster), from_)) return back;
  if (const auto there = stated(status_, cluster)) return there;
  return stated(find_named(geography_.statuses, cluster), from_);
}

std::optional<Duration> distance(const Geography& geography, const std::string& from, const std::string& to) {
  return DistancesFrom(geography, from).to(to);
}

}  // namespace meshdns::topology
