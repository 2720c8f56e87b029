#pragma once

#include <vector>

#include "common/model/endpoint.h"

namespace meshdns::health {

/// The health of an endpoint from that of its checks (at least one): it serves when all of them do, is pending until
/// each has succeeded once. Streak and needed are those of the check that is nearest to (Serving) or furthest from
/// (Failing) changing it; a Failing endpoint is doubtful if every failing check is.
model::Health combined(const std::vector<model::Health>& checks);

}  // namespace meshdns::health
