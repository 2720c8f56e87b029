#pragma once

#include <optional>

#include "common/time/time.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

/// Sets the share of its weight that each serving candidate gets during slow start: as many tenths as have passed of
/// the policy's window, at least one. Only differences matter: if all candidates started together, all get 100 %.
/// returns: when some share changes next; nothing = no candidate is warming up
/// source: docs/design.md section 4, step 6
std::optional<TimePoint> set_slow_start(HostPlan& host, TimePoint now);

}  // namespace meshdns::topology
