#pragma once

#include <vector>

#include "common/model/endpoint.h"

namespace meshdns::health {

/// Combines the health of all checks at one address. The result is Pending until each check has succeeded once, Serving
/// while all checks are, and Failing otherwise. `streak` and `needed` are taken from one check: if Serving from the
/// check that is nearest to failing, if Failing from the failing check that is furthest from serving. A Failing result
/// is doubtful if every failing check is doubtful.
/// requires: at least one check
model::Health combined(const std::vector<model::Health>& checks);

/// Combines the health of an endpoint's checks at its IPv4 address and at its IPv6 address. The result is the health of
/// the better family. While the other family is worse, Health::v4 or Health::v6 is set for it: to Pending while that
/// address is not judged yet, so that its published state may stay, otherwise to Failing.
/// requires: at least one check; one of the two lists may be empty
model::Health of_families(const std::vector<model::Health>& v4, const std::vector<model::Health>& v6);

}  // namespace meshdns::health
