#pragma once

#include "agent/admin/agent.h"
#include "common/http/message.h"

namespace meshdns::agent::admin {

/// Returns the handler of the HTTP port, which is read-only: /healthz /readyz /metrics /v1/status. `agent` must outlive
/// the handler.
http::Handler http_api(Agent& agent);

/// Returns the handler of the unix socket: like http_api(), and POST /v1/leave. That answers 202 while the withdrawal
/// runs (ask again), 200 when the records are withdrawn, and 503 if they are not; the body is text for people.
http::Handler socket_api(Agent& agent);

}  // namespace meshdns::agent::admin
