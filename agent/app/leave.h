#pragma once

#include "agent/app/configuration.h"
#include "common/process/event_loop.h"

namespace meshdns::app {

/// `meshdns-agent leave`: withdraws the node's records and says what happened. The running agent does it and ends;
/// where none runs, the federation is told from here. returns: the exit code, 0 once the federation has acknowledged it
int leave(process::EventLoop& loop, const Clock& clock, const Configuration& configuration);

}  // namespace meshdns::app
