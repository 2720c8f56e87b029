#pragma once

#include <string>

#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::agent::app {

// What `meshdns-agent` prints for people. All texts are lines with line ends; a list without rows says so.

/// Returns "shop/web/10.0.0.11:8080 registered", one line for each change.
std::string changes_text(const v1::AgentChanges& changes);
std::string registrations_text(const v1::AgentRegistrations& registrations);
/// Returns what was sent and what came back, one paragraph for each check.
std::string runs_text(const v1::AgentRuns& runs);
/// Returns what the agent reports, with its checks, drains, sources and troubles.
std::string status_text(const v1::AgentStatus& status);

}  // namespace meshdns::agent::app
