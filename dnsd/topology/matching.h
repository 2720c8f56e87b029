#pragma once

#include <cstdint>

#include "common/model/endpoint.h"
#include "common/model/override.h"

namespace meshdns::topology {

/// Every wanted label is among these, with the same value.
bool has_labels(const model::Labels& labels, const model::Labels& wanted);

/// The number of the first port that the endpoint names; 0 = it names none.
std::uint16_t first_port(const model::Endpoint& endpoint);

/// What overrides are matched with; place: where the endpoint's node is. Refers to both.
model::TargetSubject subject_of(const model::Endpoint& endpoint, const model::Locality& place);

}  // namespace meshdns::topology
