#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/model/records.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::federation {

/// An address to which an agent connects, and what the result says something about.
struct MeasuredTarget {
  std::string key;        // "gateway us-1 10.1.0.1:8080", "endpoint us-1/n1/shop/app-b/10.2.0.11:8080"
  SocketAddress address;  // TCP
  std::string cluster;    // the cluster whose distance is measured
  bool gateway = false;   // the address is a gateway of that cluster

  friend bool operator==(const MeasuredTarget&, const MeasuredTarget&) = default;
};

/// The targets of each agent, by node key. A node without targets is not in the map.
using MeasurePlan = std::map<std::string, std::vector<MeasuredTarget>>;

inline constexpr std::size_t kAgentsPerTarget = 3;  // agents of each measuring cluster
inline constexpr std::size_t kMostEndpointTargets = 3;
inline constexpr std::size_t kMostTargets = 64;  // for one agent
inline constexpr Duration kGatewayInterval = 5s;
inline constexpr Duration kEndpointInterval = 30s;

/// Plans which agents measure what. Of each cluster three agents connect to every other cluster's gateways (to the
/// first TCP port of each) or, where that cluster has no gateway with a TCP port, to three of its serving endpoints on
/// different nodes. Agents that are nearest to the other cluster come first; an agent with kMostTargets leaves the
/// target to the next agent. Pure, and stable: an agent or endpoint that comes or goes moves only its own targets.
/// connected: keys of the nodes whose agents have a session
MeasurePlan plan_measurements(const model::Records& records, const std::set<std::string>& connected);

}  // namespace meshdns::federation
