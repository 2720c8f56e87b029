#pragma once

#include <optional>
#include <string>

#include "common/time/time.h"
#include "dnsd/topology/geography.h"

namespace meshdns::topology {

/// How far one cluster is from another, as seen by a client in `from`: 0 for its own; else what the Cluster object of
/// `from` says, else the reverse entry; else what the agents of `from` have measured, else those of `to`; nothing = not
/// known.
/// source: docs/design.md section 4, step 4
std::optional<Duration> distance(const Geography& geography, const std::string& from, const std::string& to);

/// The same for many clusters, as seen from one whose records are found once. Refers to its arguments.
class DistancesFrom {
 public:
  DistancesFrom(const Geography& geography, const std::string& from);

  std::optional<Duration> to(const std::string& cluster) const;

 private:
  const Geography geography_;
  const std::string& from_;
  const model::Cluster* cluster_;       // null = there is no object of that name
  const model::ClusterStatus* status_;  // null = its agents have measured nothing
};

}  // namespace meshdns::topology
