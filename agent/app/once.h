#pragma once

#include <ostream>

#include "agent/app/configuration.h"
#include "common/process/event_loop.h"

namespace meshdns::app {

/// Reads endpoints.d, runs each check once and writes a table of what that says; reports to nobody.
/// returns: the exit code, 1 if something in endpoints.d could not be read
int once(process::EventLoop& loop, const Configuration& configuration, std::ostream& out);

}  // namespace meshdns::app
