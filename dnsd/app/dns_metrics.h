#pragma once

#include "common/metrics/registry.h"
#include "dnsd/app/mesh_view.h"

namespace meshdns::app {

/// Everything that docs/metrics.md lists for meshdnsd, computed when somebody scrapes. `parts` outlives the registry.
void register_metrics(metrics::Registry& registry, const Parts& parts);

}  // namespace meshdns::app
