#pragma once

#include <string>
#include <vector>

#include "agent/discovery/discovered.h"
#include "agent/probes/program_rules.h"

namespace meshdns::agent::app {

/// Returns one line for each `exec` check whose program would not be started, with its endpoint: "shop/web/10.0.0.1:80:
/// exec: /opt/x is writable by its group". Looks into groups too.
std::vector<std::string> program_problems(const std::vector<discovery::Discovered>& endpoints,
                                          const probes::ProgramRules& rules);

}  // namespace meshdns::agent::app
