#pragma once

#include <optional>
#include <string>

#include "common/time/time.h"
#include "dnsd/topology/geography.h"

namespace meshdns::topology {

/// How far one cluster is from another, as seen by a client in `from`: 0 for its own; else what the Cluster object of
/// `from` says, else the reverse entry; else what the agents of `from` have measured, else those of `to`; nothing = not
/// known.
/// source: design.md section 4, step 4
std::optional<Duration> distance(const Geography& geography, const std::string& from, const std::string& to);

}  // namespace meshdns::topology
