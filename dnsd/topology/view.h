#pragma once

#include <cstdint>

#include "common/model/locality.h"
#include "common/model/objects.h"

namespace meshdns::topology {

/// The bit of a part in a set of parts.
constexpr unsigned bit(model::Part part) { return 1U << static_cast<unsigned>(part); }
/// Returns the parts that a selector names, as a set of bits.
unsigned given_parts(const model::Locality& selector);

/// Returns the parts of a client's locality that a policy looks at: those of its rungs, its fence and its rules for
/// clients; and the cluster, by which rungs are split and which sees its endpoints that are not exported. Clients that
/// agree in these parts get the same tiers, as long as no cluster has a gateway.
/// returns: bit i = model::Part i
std::uint8_t view_parts(const model::Policy& policy);
/// Returns the parts that answers depend on in addition where some cluster has a gateway: network and cluster.
std::uint8_t gateway_parts();

/// Returns the locality with only these parts; the other parts are empty.
model::Locality projected(const model::Locality& place, std::uint8_t parts);

}  // namespace meshdns::topology
