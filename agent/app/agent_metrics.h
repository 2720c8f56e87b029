#pragma once

#include <vector>

#include "agent/app/monitor.h"
#include "agent/report/syncer.h"
#include "common/metrics/registry.h"

namespace meshdns::app {

/// Appends what monitor and syncer count.
void collect_samples(const Monitor& monitor, const report::Syncer& syncer, std::vector<metrics::Sample>& out);

}  // namespace meshdns::app
