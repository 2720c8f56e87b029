#pragma once

#include <vector>

#include "dnsd/topology/lint.h"

namespace meshdns::topology {

/// Looks at the policy of an object, as part of lint().
/// host: the plan of the object with all endpoints that it matches
void lint_policy(const LintScene& scene, const HostPlan& host, std::vector<Finding>& out);

/// Returns "spec.policy.ladder[1]".
std::string indexed(const std::string& path, std::size_t index);

/// Finds a locality name that nothing has, or that others spell differently.
/// name: may be empty, which is never a finding
void lint_name(const LintScene& scene, model::Part part, const std::string& name, const std::string& path,
               std::vector<Finding>& out);
/// Looks at the names in a selector of places like lint_name().
void lint_places(const LintScene& scene, const model::Locality& selector, const std::string& path,
                 std::vector<Finding>& out);

}  // namespace meshdns::topology
