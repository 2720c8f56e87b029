#pragma once

#include <string>

#include "common/base/result.h"
#include "common/http/message.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// One request of a command to the agent that runs on this node.
struct AgentRequest {
  std::string method = "POST";
  std::string target;  // "/v1/push?target=shop%2Fweb&state=up"
  std::string body;
};

/// Sends a request to the agent's unix socket, and waits for the answer. Blocks, because a command has nothing else to
/// do.
/// socket:   path
/// patience: for each step of the exchange; the default is longer than a check can take
/// returns:  the answer, whatever its status
/// errors:   NotFound: no agent listens there ("no agent runs here: ..."). Unavailable: it went away. PermissionDenied.
///           DeadlineExceeded. DataLoss: this is no HTTP
Result<http::Response> ask_agent(const std::string& socket, const AgentRequest& request,
                                 std::chrono::seconds patience = 120s);

}  // namespace meshdns::agent::app
