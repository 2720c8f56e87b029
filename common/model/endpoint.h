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

/// Label names with their values, as in Kubernetes.
using Labels = std::map<std::string, std::string>;

/// A port of an endpoint.
struct Port {
  std::string name;  // may be empty where there is only one
  std::uint16_t number = 0;
  std::string protocol = "TCP";  // TCP or UDP
  std::string app_protocol;      // http, https, grpc, ...; may be empty

  friend bool operator==(const Port&, const Port&) = default;
};

using Ports = std::vector<Port>;

/// A service that an endpoint belongs to because an EndpointSlice of its cluster lists it. Set by the federation, never
/// by an agent: docs/adr/0043.
struct Membership {
  std::string service;         // in the endpoint's namespace
  Ports ports{};               // named as the Service names them, with the numbers of the endpoint
  std::string hostname{};      // the pod's own name within the service; empty = none
  bool exported = false;       // other clusters see the endpoint in this service
  bool not_ready_too = false;  // publishNotReadyAddresses: the service answers the endpoint whatever its health

  friend bool operator==(const Membership&, const Membership&) = default;
};

using Memberships = std::vector<Membership>;

/// A port number at an endpoint's addresses that the endpoint's agent was told to redirect to a port of the endpoint.
struct MappedPort {
  std::string protocol = "TCP";  // TCP or UDP
  std::uint16_t number = 0;      // that clients use
  std::uint16_t target = 0;      // where the endpoint listens
  std::string problem{};         // why it is not redirected, for people; empty = it is

  friend bool operator==(const MappedPort&, const MappedPort&) = default;
};

using MappedPorts = std::vector<MappedPort>;

/// Hashes labels, ports and memberships by value. SharedPool uses it to find equal ones.
struct SharedHash {
  std::size_t operator()(const Labels& labels) const;
  std::size_t operator()(const Ports& ports) const;
  std::size_t operator()(const Memberships& memberships) const;
};

/// The state of an endpoint as its owner, normally the node's agent, reports it. Silence of the agent is not a state:
/// the federation publishes it in NodeStatus.
enum class HealthState : std::uint8_t { Pending, Serving, Draining, Failing };
/// Returns "pending", "serving", "draining" or "failing".
std::string_view health_state_name(HealthState state);

/// The health of an endpoint, with the reason and the progress towards the next state.
struct Health {
  HealthState state = HealthState::Pending;
  bool doubtful = false;  // the agent's own timers were late during the failed checks, so the state may be wrong
  bool in_doubt =
      false;  // may change soon: first failed check, first success of a rise, a drain deadline within the TTL
  // Set while the address of one family fails its checks and the address of the other family passes, or passed last:
  // the state of the failing address, which is not answered. At most one of the two is set.
  std::optional<HealthState> v4;
  std::optional<HealthState> v6;
  std::string detail;        // why, for people: "http 503", "connection refused"
  TimePoint since{};         // when the state began, on this process's clock
  std::uint32_t streak = 0;  // check results in a row that contradict the state
  std::uint32_t needed = 0;  // length of the streak that changes the state
  std::optional<TimePoint> drain_until;

  /// The state of the family's address if that address is not answered, see v4 and v6.
  std::optional<HealthState>& out(Family family) { return family == Family::V4 ? v4 : v6; }
  const std::optional<HealthState>& out(Family family) const { return family == Family::V4 ? v4 : v6; }

  friend bool operator==(const Health&, const Health&) = default;
};

/// One reachable instance as its agent reports it. Labels, ports and memberships are `Shared`, because many endpoints
/// have the same ones (SharedPool). The services of an endpoint are its own one and those of its memberships:
/// common/model/memberships.h has the functions that ask for them.
struct Endpoint {
  std::string key;  // unique in the mesh: "cluster/node/<the agent's key>"
  std::string uid;
  std::string source;  // the discovery source that listed it: "static"
  std::string namespace_;
  std::string service;  // its own one, as the agent reports it; empty = none
  Shared<Labels> labels;
  std::vector<IpAddress> addresses;  // at least one; the first of each family is answered
  Shared<Ports> ports;               // its own ones; may be empty
  std::uint32_t weight = 1;          // 0 = standby
  Health health;
  std::string node;  // key of its Node: "cluster/node"
  /// True while the node's agent does not list the endpoint, so that nobody checks it: `health` is the last one
  /// reported. Set by the federation.
  bool unwatched = false;
  Shared<Memberships> memberships{};  // by service, each service once
  Shared<MappedPorts> mapped{};       // as its agent reports them

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Returns the first address of each family, in the order of the list: the addresses that are checked and answered.
std::vector<IpAddress> first_of_each_family(const std::vector<IpAddress>& addresses);

/// Returns how many bytes of its node's limit (kMostNodeBytes) an endpoint uses: the lengths of its texts, plus 16 for
/// each address, port, membership and mapped port.
std::size_t text_bytes(const Endpoint& endpoint);

/// A machine with an agent.
struct Node {
  std::string key;    // "cluster/name"
  Locality locality;  // cluster and node are filled in
  std::vector<IpAddress> addresses;
  std::vector<Prefix> prefixes;  // clients with an address in these are located at this node
  /// The epoch of the session that first reported these addresses and prefixes. If two nodes claim the same address or
  /// prefix, the node with the newer session has it. 0 = not reported by an agent.
  std::uint64_t session = 0;

  friend bool operator==(const Node&, const Node&) = default;
};

/// The federation's judgement of a node. One record covers all endpoints of the node, so that the death of a node is
/// one change.
struct NodeStatus {
  bool silent = false;    // the agent's lease ran out, and no brake held the demotion back
  bool in_doubt = false;  // two heartbeats are missing
  TimePoint since{};
  std::string held{};      // the brake that holds back the node's demotion (if silent: its removal); empty = none
  std::string problem{};   // what the agent cannot do: "does not read endpoints.d: app-b.yaml:7:5: ..."; empty = none
  bool unwatched = false;  // the lease of the node's unwatched endpoints ran out, and no brake held the demotion back

  /// Whether the status says nothing: such a status is not kept as a record.
  bool empty() const { return !silent && !in_doubt && problem.empty() && !unwatched && held.empty(); }

  friend bool operator==(const NodeStatus&, const NodeStatus&) = default;
};

}  // namespace meshdns::model
