#pragma once

#include "agent/admin/agent.h"
#include "agent/admin/commands.h"
#include "common/http/message.h"

namespace meshdns::agent::admin {

/// Returns the handler of the HTTP port, which is read-only: /healthz /readyz /metrics /v1/status /v1/registrations
/// /v1/drains. The unix socket also takes commands (command_api.h).
/// agent, commands: must outlive the handler
http::Handler http_api(Agent& agent, Commands& commands);

}  // namespace meshdns::agent::admin
