#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "agent/discovery/discovered.h"
#include "agent/discovery/pod_endpoints.h"
#include "common/net/ip_address.h"

namespace meshdns::agent::app {

/// What the events of sockets are about: where the endpoints of this node are.
struct WatchedSockets {
  std::set<IpAddress> addresses;      // of endpoints and of their checks
  std::set<std::uint16_t> udp_ports;  // likewise; of TCP each port counts

  friend bool operator==(const WatchedSockets&, const WatchedSockets&) = default;
};

/// Returns the sockets that endpoints and pods are behind. Pods without checks are left out: nobody asks at their
/// ports, whatever happens there. So are the addresses of pods in the host's network, which are the agent's own. Pure.
WatchedSockets watched_sockets(const std::vector<discovery::Discovered>& listed,
                               const std::vector<discovery::PodEndpoint>& pods);

}  // namespace meshdns::agent::app
