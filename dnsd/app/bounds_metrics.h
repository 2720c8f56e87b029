#pragma once

#include <vector>

#include "common/metrics/registry.h"
#include "dnsd/app/mesh_view.h"

namespace meshdns::app {

/// Adds what the bounds on peers have refused, cut and clamped, and how much of them is in use.
void add_bounds(std::vector<metrics::Sample>& out, const Parts& parts);

}  // namespace meshdns::app
