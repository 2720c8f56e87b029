#pragma once

#include "agent/discovery/discovered.h"
#include "meshdns/config/v1/agent.pb.h"

namespace meshdns::discovery {

/// Returns a check as it is made at an endpoint.
/// endpoint: complete, with its key: programs of checks get it as variables
/// requires: config::load_endpoints() has taken the message, so that it has a kind and the endpoint has its port
CheckSpec check_of(const model::Endpoint& endpoint, const config::v1::Check& check);

}  // namespace meshdns::discovery
