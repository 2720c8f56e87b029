#pragma once

#include <string>
#include <vector>

#include "dnsd/app/configuration.h"

namespace meshdns::app {

/// What became of the last reload.
struct ReloadState {
  std::vector<std::string> restart_needed;  // keys whose value in the file is not the one that runs
  std::string problem;                      // the first line of what was wrong; empty = nothing
};

/// Both listen at the same places.
bool same_listeners(const answers::Settings& a, const answers::Settings& b);

/// Puts what runs in the place of what only a restart can change, so that `next` is what runs after the reload, and the
/// next reload is compared with that.
/// returns: the keys that differ and need a restart
std::vector<std::string> keep_what_cannot_change(const Configuration& running, Configuration& next);

}  // namespace meshdns::app
