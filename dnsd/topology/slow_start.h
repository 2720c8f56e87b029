#pragma once

#include <optional>

#include "common/time/time.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

/// Sets how much of its weight each serving candidate has, in tenths of the window, at least one. What is answered
/// depends on the differences only: where all are warming up alike, none is held back.
/// returns: when that changes next; nothing = it does not
/// source: docs/design.md section 4, step 6
std::optional<TimePoint> set_slow_start(HostPlan& host, TimePoint now);

}  // namespace meshdns::topology
