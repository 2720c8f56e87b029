#pragma once

#include <string>

#include "common/time/time.h"
#include "dnsd/kubernetes/service_directory.h"

namespace meshdns::federation {
class Agents;
}

namespace meshdns::kubernetes {

/// Hands what the directory of a cluster tells to the federation: services of pods to Bindings, endpoints to StandIns,
/// and deleted Nodes to the agents' side. Memberships come first, so that an endpoint which goes leaves its services
/// before it leaves the catalog, and never the other way round.
void apply_changes(const std::string& cluster, DirectoryChanges changes, federation::Agents& agents, TimePoint now);

}  // namespace meshdns::kubernetes
