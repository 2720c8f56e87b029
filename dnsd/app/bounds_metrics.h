#pragma once

#include <vector>

#include "common/metrics/registry.h"
#include "dnsd/app/mesh_view.h"

namespace meshdns::app {

/// Adds the metrics of the bounds on peers: how often a bound has refused, cut or clamped something, and how much of
/// each bound is in use.
void add_bounds(std::vector<metrics::Sample>& out, const Parts& parts);

}  // namespace meshdns::app
