#pragma once

#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::config {

/// Makes the process log as a checked configuration says.
void apply_log(const v1::Log& settings);

}  // namespace meshdns::config
