#pragma once

#include <string>
#include <vector>

#include "dnsd/app/configuration.h"

namespace meshdns::app {

/// Both listen at the same places.
bool same_listeners(const answers::Settings& a, const answers::Settings& b);

/// Keeps in `next` what only a restart can change: the listeners' sockets, above all.
/// returns: the keys that differ and need a restart
std::vector<std::string> keep_what_cannot_change(const Configuration& running, Configuration& next);

}  // namespace meshdns::app
