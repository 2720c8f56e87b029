#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "dnsd/explain/scene.h"
#include "dnsd/topology/words.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// The overrides of a simulation.
struct Supposition {
  topology::Overrides overrides;  // all overrides, real and simulated
  std::vector<model::OverrideTarget>
      targets;  // targets of the overrides that come or go: only endpoints in them can change
};

/// Returns the overrides that a request asks to simulate.
/// errors: InvalidArgument: an invalid target or action
Result<Supposition> supposed(const topology::Overrides& real, const v1::SimulateRequest& request);

/// Returns what a client gets of one host, what it would get, and which endpoints change. Changes nothing.
/// errors: those of explain()
Result<v1::SimulateReply> simulate(const Scene& scene, const v1::SimulateRequest& request,
                                   const Supposition& supposition);

/// Returns a line for each target to which no endpoint belongs: its name is probably misspelt.
std::vector<std::string> missed_targets(const model::Records& records,
                                        const std::vector<model::OverrideTarget>& targets);

}  // namespace meshdns::explain
