#pragma once

#include <string>

#include "common/base/result.h"
#include "common/http/message.h"

namespace meshdns::agent::app {

/// One request of a command to the agent that runs on this node.
struct AgentRequest {
  std::string method = "POST";
  std::string target;  // "/v1/push?target=shop%2Fweb&state=up"
  std::string body;
};

/// Sends a request to the agent's unix socket, and waits for the answer. Blocks, because a command has nothing else to
/// do.
/// socket:  path
/// returns: the answer, whatever its status
/// errors:  Unavailable: no agent listens there ("no agent runs here: ..."), or it went away. PermissionDenied.
///          DeadlineExceeded: no answer within 2 min, longer than a check can take. DataLoss: this is no HTTP
Result<http::Response> ask_agent(const std::string& socket, const AgentRequest& request);

}  // namespace meshdns::agent::app
