#pragma once

#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::config {

/// Applies the `log` section of a checked configuration to the process.
void apply_log(const v1::Log& settings);

}  // namespace meshdns::config
