#pragma once

#include <string>

#include "common/model/records.h"
#include "dnsd/publish/publisher.h"
#include "dnsd/topology/words.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

/// Refuses, in a checked reply, the overrides of its request that would leave a host without serving endpoints though
/// it has some now. What is up to no override, and what was refused before, stays as it is.
/// returns: true = an override was refused
/// thread: control
bool refuse_emptying(const v1::ApplyRequest& request, publish::Publisher& publisher,
                     const topology::Overrides& overrides, v1::ApplyReply& reply);

/// Why an override of a request has no effect: no endpoint belongs to its target. Empty = each has one, or the request
/// does not ask for it.
std::string idle_target(const v1::ApplyRequest& request, const model::Records& records);

/// Writes into the results of overrides how many endpoints their targets have.
void count_targets(const v1::ApplyRequest& request, const model::Records& records, v1::ApplyReply& reply);

}  // namespace meshdns::app
