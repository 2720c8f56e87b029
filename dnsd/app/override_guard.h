#pragma once

#include "dnsd/app/publisher.h"
#include "dnsd/topology/words.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

/// Refuses, in a checked reply, the overrides of its request that would leave a host without serving endpoints though
/// it has some now. What is up to no override, and what was refused before, stays as it is. returns: something was
/// refused thread:  control
bool refuse_emptying(const v1::ApplyRequest& request, Publisher& publisher, const topology::Overrides& overrides,
                     v1::ApplyReply& reply);

}  // namespace meshdns::app
