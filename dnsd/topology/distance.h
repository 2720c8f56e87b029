#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/model/objects.h"
#include "common/time/time.h"

namespace meshdns::topology {

/// How far one cluster is from another, as seen by a client in `from`: 0 for its own; else what the Cluster object of
/// `from` says, else the reverse entry; nothing = not known.
std::optional<Duration> distance(const std::map<std::string, model::Cluster>& clusters, const std::string& from,
                                 const std::string& to);

}  // namespace meshdns::topology
