#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/locality.h"
#include "common/model/shared.h"
#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "common/time/time.h"

namespace meshdns::model {

using Labels = std::map<std::string, std::string>;

struct Port {
  std::string name;  // may be empty where there is only one
  std::uint16_t number = 0;
  std::string protocol = "TCP";  // TCP or UDP
  std::string app_protocol;      // http, https, grpc, ...; may be empty

  friend bool operator==(const Port&, const Port&) = default;
};

using Ports = std::vector<Port>;

/// For SharedPool.
struct SharedHash {
  std::size_t operator()(const Labels& labels) const;
  std::size_t operator()(const Ports& ports) const;
};

/// What the owner says of an endpoint. A silent node is its own record (NodeStatus), not a state here.
enum class HealthState : std::uint8_t { Pending, Serving, Draining, Failing };
std::string_view health_state_name(HealthState state);

struct Health {
  HealthState state = HealthState::Pending;
  bool doubtful = false;  // the owner was late itself when it judged
  bool in_doubt =
      false;  // may change soon: first failed check, first success of a rise, a drain deadline within the TTL
  // The state of the address of this family if it does not pass its own checks and the other family's does, or did: it
  // is not answered. At most one of the two is set.
  std::optional<HealthState> v4;
  std::optional<HealthState> v6;
  std::string detail;        // why, for people: "http 503", "connection refused"
  TimePoint since{};         // in this state since, on this process's clock
  std::uint32_t streak = 0;  // results in a row that contradict the state
  std::uint32_t needed = 0;  // how many of them change it
  std::optional<TimePoint> drain_until;

  std::optional<HealthState>& out(Family family) { return family == Family::V4 ? v4 : v6; }
  const std::optional<HealthState>& out(Family family) const { return family == Family::V4 ? v4 : v6; }

  friend bool operator==(const Health&, const Health&) = default;
};

/// One reachable instance as its agent reports it. Its labels and ports are those of many others (SharedPool).
struct Endpoint {
  std::string key;  // unique in the mesh: "cluster/node/<the agent's key>"
  std::string uid;
  std::string source;  // the discovery source that listed it: "static"
  std::string namespace_;
  std::string service;
  Shared<Labels> labels;
  std::vector<IpAddress> addresses;  // at least one; the first of each family is answered
  Shared<Ports> ports;
  std::uint32_t weight = 1;  // 0 = standby
  Health health;
  std::string node;  // key of its Node: "cluster/node"
  /// The node's agent does not list it, so nobody checks it: the health is the last that was told. Set by the
  /// federation.
  bool unwatched = false;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// The first address of each family, in the order of the list: the addresses that are checked and answered.
std::vector<IpAddress> first_of_each_family(const std::vector<IpAddress>& addresses);

/// What an endpoint takes of its node's share (kMostNodeBytes): all its texts, and 16 bytes for each address and port.
std::size_t text_bytes(const Endpoint& endpoint);

/// A machine with an agent.
struct Node {
  std::string key;    // "cluster/name"
  Locality locality;  // cluster and node are filled in
  std::vector<IpAddress> addresses;
  std::vector<Prefix> prefixes;  // whose clients are here
  /// The epoch of the session that first told these addresses and prefixes: of two nodes that claim the same one, the
  /// one with the newer session has it. 0 = not told by an agent.
  std::uint64_t session = 0;

  friend bool operator==(const Node&, const Node&) = default;
};

/// The federation's word about a node: a dead node is one record, not one per endpoint.
struct NodeStatus {
  bool silent = false;    // its lease ran out, and no brake held it
  bool in_doubt = false;  // two heartbeats missed
  TimePoint since{};
  std::string held{};      // the brake that holds its demotion, or where it is silent its removal; empty = none
  std::string problem{};   // what its agent cannot do: "does not read endpoints.d: app-b.yaml:7:5: ..."; empty = none
  bool unwatched = false;  // the lease of its unwatched endpoints ran out, and no brake held it

  /// Whether there is anything to say.
  bool empty() const { return !silent && !in_doubt && problem.empty() && !unwatched && held.empty(); }

  friend bool operator==(const NodeStatus&, const NodeStatus&) = default;
};

}  // namespace meshdns::model
