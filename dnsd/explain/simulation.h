#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "dnsd/explain/scene.h"
#include "dnsd/topology/words.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// What operators are supposed to have said.
struct Supposition {
  topology::Overrides overrides;       // all of them
  std::vector<model::Target> targets;  // of those that come or go: only their endpoints stand differently
};

/// errors: InvalidArgument: a target or an action that is none
Result<Supposition> supposed(const topology::Overrides& real, const v1::SimulateRequest& request);

/// What a client gets of one host, what it would get, and which endpoints that concerns. Nothing is changed.
/// errors: as explain()
Result<v1::SimulateReply> simulate(const Scene& scene, const v1::SimulateRequest& request,
                                   const Supposition& supposition);

/// A line for each target that no endpoint belongs to: probably it is misspelt.
std::vector<std::string> missed_targets(const model::Records& records, const std::vector<model::Target>& targets);

}  // namespace meshdns::explain
