#pragma once

#include <optional>
#include <string>

#include "common/time/time.h"
#include "dnsd/topology/geography.h"

namespace meshdns::topology {

/// Returns the distance between two clusters as a client in `from` sees it: 0 for its own cluster; otherwise what the
/// Cluster object of `from` states, then the entry of `to` for `from`, then what agents of `from` have measured, then
/// what agents of `to` have measured.
/// returns: nothing = not known
/// source: docs/design.md section 4, step 4
std::optional<Duration> distance(const Geography& geography, const std::string& from, const std::string& to);

/// Finds the distances from one cluster to many; looks up the records of that cluster once. The arguments must outlive
/// this.
class DistancesFrom {
 public:
  DistancesFrom(const Geography& geography, const std::string& from);

  /// Returns distance() from this cluster to another one.
  std::optional<Duration> to(const std::string& cluster) const;

 private:
  const Geography geography_;
  const std::string& from_;
  const model::Cluster* cluster_;       // null = there is no object with the cluster's name
  const model::ClusterStatus* status_;  // null = the cluster's agents have measured nothing
};

}  // namespace meshdns::topology
