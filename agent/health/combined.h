#pragma once

#include <vector>

#include "common/model/endpoint.h"

namespace meshdns::health {

/// The health of an endpoint from that of its checks (at least one): it serves when all of them do, is pending until
/// each has succeeded once. Streak and needed are those of the check that is nearest to (Serving) or furthest from
/// (Failing) changing it; a Failing endpoint is doubtful if every failing check is.
model::Health combined(const std::vector<model::Health>& checks);

/// The health of an endpoint from that of its checks at its IPv4 and at its IPv6 address; one list may be empty. It is
/// that of the family that is better off. The other one is out (Health::v4, v6) as long as it is worse off: Pending
/// while nothing is known of it yet, so that what was published before may stay, else Failing.
model::Health of_families(const std::vector<model::Health>& v4, const std::vector<model::Health>& v6);

}  // namespace meshdns::health
