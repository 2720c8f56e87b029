#pragma once

#include <string>

#include "common/model/records.h"
#include "dnsd/publish/publisher.h"
#include "dnsd/topology/words.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Refuses the overrides of a checked request that would leave a host without serving endpoints although it has some
/// now. Checks only accepted override entries; all others pass unchanged.
/// overrides: in force now
/// reply:     of the check; the results of refused overrides are changed
/// returns:   true = an override was refused
/// thread: control
bool refuse_emptying(const v1::ApplyRequest& request, publish::Publisher& publisher,
                     const topology::Overrides& overrides, v1::ApplyReply& reply);

/// Returns why an override of a request would have no effect: its target has no endpoint. Empty = every target has one,
/// or the request does not want this check.
std::string idle_target(const v1::ApplyRequest& request, const model::Records& records);

/// Writes the number of endpoints of each override's target into its result.
void count_targets(const v1::ApplyRequest& request, const model::Records& records, v1::ApplyReply& reply);

}  // namespace meshdns::dnsd::app
