#pragma once

#include <string>

#include "common/metrics/registry.h"

namespace meshdns::process {

/// Registers the metrics that every daemon has: meshdns_build_info, and the process_ metrics of Prometheus's own client
/// libraries.
/// program: "meshdnsd"
/// started: unix seconds
void register_process_metrics(metrics::Registry& registry, const std::string& program, const std::string& version,
                              std::int64_t started);

}  // namespace meshdns::process
