#pragma once

#include <string>

#include "common/metrics/registry.h"

namespace meshdns::process {

/// Adds what every daemon has: meshdns_build_info, and the process_ metrics that Prometheus's own client libraries
/// have. program: "meshdnsd"; started: unix seconds
void register_process_metrics(metrics::Registry& registry, const std::string& program, const std::string& version,
                              std::int64_t started);

}  // namespace meshdns::process
