#pragma once

#include "agent/admin/agent.h"
#include "common/http/message.h"

namespace meshdns::admin {

/// The HTTP port, for reading only: /healthz /readyz /metrics /v1/status. `agent` must outlive the handler.
http::Handler http_api(Agent& agent);

/// The unix socket: the same and POST /v1/leave, to be asked again while it answers 202 (200 = the records are
/// withdrawn, 503 = they are not; the body says it for people).
http::Handler socket_api(Agent& agent);

}  // namespace meshdns::admin
