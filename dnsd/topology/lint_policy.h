#pragma once

#include <vector>

#include "dnsd/topology/lint.h"

namespace meshdns::topology {

/// The part of lint() that is about an object's policy.
/// host: the object with all endpoints that it matches
void lint_policy(const LintScene& scene, const HostPlan& host, std::vector<Finding>& out);

/// "spec.policy.ladder[1]"
std::string indexed(const std::string& path, std::size_t index);

/// A name of a part of a locality that nobody has, or that others write in other letters. name: may be empty
void lint_name(const LintScene& scene, model::Part part, const std::string& name, const std::string& path,
               std::vector<Finding>& out);
/// The same for the names in a selector of places.
void lint_places(const LintScene& scene, const model::Locality& selector, const std::string& path,
                 std::vector<Finding>& out);

}  // namespace meshdns::topology
