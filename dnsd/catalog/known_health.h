#pragma once

#include "common/model/endpoint.h"

// What a report says about an endpoint that is known already. Pure functions, used by Catalog.
namespace meshdns::catalog {

/// Returns whether two endpoints are equal except for the moments since when, which every process counts on its own
/// clock.
bool same_but_for_age(const model::Endpoint& a, const model::Endpoint& b);

/// Returns the reported endpoint with the known health where the agent has none yet. An agent that has just started
/// knows nothing of an endpoint that was published before, so the last health stays until the agent has a result of its
/// own. As many failures as a verdict needs are such a result.
model::Endpoint with_known_health(model::Endpoint reported, const model::Endpoint& known, TimePoint now);

}  // namespace meshdns::catalog
