#pragma once

#include <vector>

#include "dnsd/topology/lint.h"

namespace meshdns::topology {

/// The part of lint() that is about an object's policy.
/// host: the object with all endpoints that it matches
void lint_policy(const LintScene& scene, const HostPlan& host, std::vector<Finding>& out);

/// "spec.policy.ladder[1]"
std::string indexed(const std::string& path, std::size_t index);

/// Names in a selector of places that nobody has.
void lint_places(const LintScene& scene, const model::Locality& selector, const std::string& path,
                 std::vector<Finding>& out);

}  // namespace meshdns::topology
