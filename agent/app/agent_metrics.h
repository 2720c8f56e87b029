#pragma once

#include <vector>

#include "agent/app/measurer.h"
#include "agent/app/monitor.h"
#include "agent/report/syncer.h"
#include "common/metrics/registry.h"

namespace meshdns::agent::app {

/// Appends the metrics of monitor, measurer and syncer.
void collect_samples(const Monitor& monitor, const Measurer& measurer, const report::Syncer& syncer,
                     std::vector<metrics::Sample>& out);

}  // namespace meshdns::agent::app
