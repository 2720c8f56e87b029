#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/model/records.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::federation {

/// What an agent connects to, and what that stands for.
struct MeasuredTarget {
  std::string key;        // "gateway us-1 10.1.0.1:8080", "endpoint us-1/n1/shop/app-b/10.2.0.11:8080"
  SocketAddress address;  // TCP
  std::string cluster;    // how far this one is
  bool gateway = false;   // the address is one of its gateways

  friend bool operator==(const MeasuredTarget&, const MeasuredTarget&) = default;
};

/// By node key; nodes without targets are not in it.
using MeasurePlan = std::map<std::string, std::vector<MeasuredTarget>>;

inline constexpr std::size_t kAgentsPerTarget = 3;  // of each asking cluster
inline constexpr std::size_t kMostEndpointTargets = 3;
inline constexpr std::size_t kMostTargets = 64;  // of one agent
inline constexpr Duration kGatewayInterval = 5s;
inline constexpr Duration kEndpointInterval = 30s;

/// Which agents measure what: of each cluster three agents, those nearest to the other cluster first, connect to all of
/// that cluster's gateways (the first TCP port of each), or, where it has none that can be connected to, to three of
/// its serving endpoints on different nodes. Whoever is full leaves it to the next. Pure, and stable: an agent or an
/// endpoint that comes or goes moves only what was its own. connected: keys of the nodes whose agents can be told
MeasurePlan plan_measurements(const model::Records& records, const std::set<std::string>& connected);

}  // namespace meshdns::federation
