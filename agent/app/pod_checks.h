#pragma once

#include "agent/discovery/pod_endpoints.h"

namespace meshdns::agent::app {

/// How often a declared port is probed for evidence.
inline constexpr Duration kEvidenceInterval = 5s;

/// Returns the pod as it is watched: with a check for evidence at each declared TCP port, after those of its
/// annotations. A pod that names no service gets none: nobody has asked to connect to it, and each node has many such
/// pods. Its kubelet and the end of its containers say enough.
discovery::Discovered watched_pod(const discovery::PodEndpoint& pod);

}  // namespace meshdns::agent::app
