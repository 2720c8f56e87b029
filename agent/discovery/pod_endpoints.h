#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "agent/discovery/discovered.h"
#include "agent/discovery/pod.h"
#include "agent/health/readiness.h"

namespace meshdns::discovery {

/// A pod as an endpoint. Its health is Readiness's, with what the kubelet reports, joined with that of `found.checks`.
struct PodEndpoint {
  Discovered found;  // key "pod/<uid>", source "kubernetes"; checks and ports may be empty
  health::PodReport report;
  bool host_network = false;  // its listeners are in the host's network namespace, as those of SocketEvents

  friend bool operator==(const PodEndpoint&, const PodEndpoint&) = default;
};

/// The endpoints of this node's pods, and what is wrong with their annotations and labels.
struct PodListing {
  std::vector<PodEndpoint> endpoints;  // by key
  std::vector<std::string> problems;   // "shop/app-b-1: meshdns.io/weight: expected 0 to 65535 (got many)"
  std::size_t without_service = 0;     // endpoints whose pods name no service

  friend bool operator==(const PodListing&, const PodListing&) = default;
};

/// Turns pods into endpoints. Pure.
///
/// A pod is an endpoint if it has an address and has not ended. It may name its service by the annotation or the label
/// `meshdns.io/service`; otherwise the federation finds the services that list it (docs/adr/0043). Pods in the host's
/// network count too: Services may select them.
/// pods: by uid, from PodStore
PodListing endpoints_of(const std::map<std::string, Pod>& pods);

}  // namespace meshdns::discovery
