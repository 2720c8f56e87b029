#pragma once

#include <vector>

#include "dnsd/topology/lint.h"

namespace meshdns::topology {

/// Looks at the hosts of an object, as part of lint().
/// own: the plan of the object with all endpoints that it matches
void lint_hosts(const LintScene& scene, const model::VirtualDestination& object, const HostPlan& own,
                std::vector<Finding>& out);

/// Finds client prefixes of a cluster that another cluster has, too.
void lint_prefixes(const LintScene& scene, const model::Cluster& cluster, std::vector<Finding>& out);

}  // namespace meshdns::topology
