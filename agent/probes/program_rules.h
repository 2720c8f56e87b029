#pragma once

#include <string>

#include "agent/probes/owner_rule.h"
#include "common/time/time.h"

namespace meshdns::probes {

/// How an agent starts the programs of checks. Paths are parameters for tests.
struct ProgramRules {
  bool enabled = false;  // exec.enabled of agent.yaml
  OwnerRule owner = only_root_writes;
  Duration grace = 2s;                       // between SIGTERM and SIGKILL
  std::string setpriv = "/usr/bin/setpriv";  // of util-linux, which changes the user
  std::string users = "/etc/passwd";
};

}  // namespace meshdns::probes
