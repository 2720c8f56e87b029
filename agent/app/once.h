#pragma once

#include <ostream>

#include "agent/app/configuration.h"
#include "common/process/event_loop.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// Runs `meshdns-agent --once`: reads endpoints.d, runs each check once and writes a table of the results. Reports
/// nothing to a federation. Checks that take the health of another service come last.
/// returns: the exit code; 1 = something in endpoints.d could not be read
int once(process::EventLoop& loop, const Clock& clock, const Configuration& configuration, std::ostream& out);

}  // namespace meshdns::agent::app
