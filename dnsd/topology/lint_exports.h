#pragma once

#include <string>
#include <vector>

#include "dnsd/topology/lint.h"

namespace meshdns::topology {

/// Finds a selector of an object whose endpoints all are in other clusters than the server's and are not exported: only
/// clients there see them. Part of lint().
/// matched: the endpoints that the selector matches
/// path:    of the selector: "spec.services[0]"
void lint_exports(const LintScene& scene, const model::VirtualDestination& object,
                  const std::vector<const model::Endpoint*>& matched, const std::string& path,
                  std::vector<Finding>& out);

}  // namespace meshdns::topology
