#pragma once

#include "agent/app/configuration.h"
#include "common/process/event_loop.h"

namespace meshdns::agent::app {

/// Runs `meshdns-agent leave`: withdraws the node's records and prints the outcome. A running agent is asked to do it,
/// and ends. If none runs, this process sends the Leave to the federation itself.
/// returns: the exit code; 0 = the federation has acknowledged the withdrawal
int leave(process::EventLoop& loop, const Clock& clock, const Configuration& configuration);

}  // namespace meshdns::agent::app
