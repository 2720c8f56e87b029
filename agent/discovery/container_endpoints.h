#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/discovery/container.h"
#include "agent/discovery/discovered.h"
#include "agent/discovery/endpoints_file.h"

namespace meshdns::discovery {

/// The endpoints of this node's containers, and what is wrong with their labels.
struct ContainerListing {
  std::vector<Discovered> endpoints;  // by key
  std::vector<std::string> problems;  // "web: meshdns.weight: expected 0-65535 (got many)"

  friend bool operator==(const ContainerListing&, const ContainerListing&) = default;
};

/// Turns containers into endpoints. Pure.
///
/// A running container with labels `meshdns.*` is an endpoint, unless a label is wrong: then it is none, and every
/// mistake is a problem. A paused container, and one whose HEALTHCHECK does not succeed, is an endpoint with a reason
/// why it does not serve (Discovered::down). Labels and where the endpoint is reached: docs/config-agent.md.
/// containers: by id, from ContainerStore
/// node:       the addresses of published ports, and of containers in the network of the host
ContainerListing endpoints_of(const std::map<std::string, Container>& containers, const Defaults& node);

}  // namespace meshdns::discovery
