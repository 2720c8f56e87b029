#pragma once

#include <cstdint>

#include "common/model/locality.h"
#include "common/model/objects.h"

namespace meshdns::topology {

/// The parts of a client's locality that a policy looks at, bit i = model::Part i: those of its rungs, of its fence
/// and of the rules for clients, and the cluster where a rung is split by it. Clients that agree in them get the same
/// tiers, as long as nobody has a gateway.
std::uint8_t view_parts(const model::Policy& policy);
/// What is looked at besides where some cluster has a gateway: network and cluster.
std::uint8_t gateway_parts();

/// The locality with only these parts.
model::Locality projected(const model::Locality& place, std::uint8_t parts);

}  // namespace meshdns::topology
