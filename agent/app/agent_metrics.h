#pragma once

#include <vector>

#include "agent/app/drains.h"
#include "agent/app/measurer.h"
#include "agent/app/monitor.h"
#include "agent/app/pushes.h"
#include "agent/app/sources.h"
#include "agent/report/syncer.h"
#include "common/metrics/registry.h"

namespace meshdns::agent::app {

/// Appends the metrics of monitor, measurer and syncer.
void collect_samples(const Monitor& monitor, const Measurer& measurer, const report::Syncer& syncer,
                     std::vector<metrics::Sample>& out);

/// Appends the metrics of what was registered, drained and pushed at this node.
void collect_samples(const Sources& sources, const Drains& drains, const Pushes& pushes,
                     std::vector<metrics::Sample>& out);

}  // namespace meshdns::agent::app
