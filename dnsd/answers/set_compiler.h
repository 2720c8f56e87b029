#pragma once

#include "dnsd/answers/answer_table.h"
#include "dnsd/answers/explain.h"
#include "dnsd/topology/decide.h"

namespace meshdns::answers {

/// The part of a host that is the same for all clients; sets, zone and shape are the caller's.
Host compile_host(const topology::HostPlan& plan, const std::vector<std::uint8_t>& name);

/// What one class of clients gets; row i is candidate i.
Set compile_set(const topology::HostPlan& plan, const topology::Decision& decision, const Version& version);

}  // namespace meshdns::answers
