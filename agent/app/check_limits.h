#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/app/check_runner.h"
#include "agent/app/configuration.h"

namespace meshdns::agent::app {

/// Returns how many checks may run at one time. All checks together hold at most half of the process's descriptors: the
/// other half is for the federation, the admin ports and files.
/// in_flight:   `probing.in_flight`
/// descriptors: the process's limit
CheckRunner::Limits check_limits(std::uint32_t in_flight, std::size_t descriptors);

/// Returns the limits of this process with its configuration.
CheckRunner::Limits check_limits(const Configuration& configuration);

}  // namespace meshdns::agent::app
