#pragma once

#include <vector>

#include "dnsd/topology/lint.h"

namespace meshdns::topology {

/// The part of lint() that is about an object's hosts. own: the object with all endpoints that it matches
void lint_hosts(const LintScene& scene, const model::VirtualDestination& object, const HostPlan& own,
                std::vector<Finding>& out);

/// Finds client prefixes that another cluster has too.
void lint_prefixes(const LintScene& scene, const model::Cluster& cluster, std::vector<Finding>& out);

}  // namespace meshdns::topology
