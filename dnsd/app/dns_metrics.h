#pragma once

#include "common/metrics/registry.h"
#include "dnsd/app/mesh_view.h"

namespace meshdns::app {

/// Registers all metrics that docs/metrics.md lists for meshdnsd. Their values are computed when they are scraped.
/// `parts` must outlive the registry.
void register_metrics(metrics::Registry& registry, const Parts& parts);

}  // namespace meshdns::app
