#pragma once

#include <cstdint>

#include "common/model/locality.h"
#include "common/model/objects.h"

namespace meshdns::topology {

/// The parts of a client's locality that a policy looks at, bit i = model::Part i: those of its rungs, and the cluster
/// where a rung is split by it. Clients that agree in them get the same tiers.
std::uint8_t view_parts(const model::Policy& policy);

/// The locality with only these parts.
model::Locality projected(const model::Locality& place, std::uint8_t parts);

}  // namespace meshdns::topology
