#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/endpoint.h"
#include "common/model/locality.h"
#include "common/model/policy.h"
#include "common/net/prefix.h"
#include "common/time/time.h"

namespace meshdns::model {

/// The identity of an object that operators apply, and who manages the object.
struct ObjectMeta {
  std::string name;
  std::string namespace_;       // empty for Cluster
  std::int64_t created = 0;     // unix seconds, set by the origin
  std::string origin;           // "cluster/instance"
  std::string manager = "cli";  // cli or kubernetes

  /// Returns "shop/app-b", or the name alone if there is no namespace.
  std::string key() const { return namespace_.empty() ? name : namespace_ + "/" + name; }
  friend bool operator==(const ObjectMeta&, const ObjectMeta&) = default;
};

/// One condition on labels, as in Kubernetes: a missing label fails In and passes NotIn.
struct LabelExpression {
  enum class Operator : std::uint8_t { In, NotIn, Exists, DoesNotExist };
  std::string key;
  Operator op = Operator::Exists;
  std::vector<std::string> values;  // only for In and NotIn

  bool holds(const Labels& labels) const;
  friend bool operator==(const LabelExpression&, const LabelExpression&) = default;
};

/// Selects the endpoints of a host. Every condition that is given must hold.
struct ServiceSelector {
  std::string namespace_;             // empty = the object's own
  std::string name;                   // service name; empty = any
  std::vector<std::string> clusters;  // empty = all
  Labels match_labels;
  std::vector<LabelExpression> match_expressions;

  friend bool operator==(const ServiceSelector&, const ServiceSelector&) = default;
};

/// A port that clients of a virtual destination see, and the port of the endpoints that it leads to.
struct PortMapping {
  std::string name;
  std::uint16_t number = 0;
  std::string protocol = "TCP";
  std::string target_port;  // a number or the endpoint's port name; empty = the same number
  std::string app_protocol;
  bool map_ports = false;  // the endpoints' agents redirect `number` to the target port on their nodes

  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

/// An endpoint outside the mesh, which no agent checks. With an address it always counts as serving; with a hostname
/// it does from the first successful resolution on.
struct ExternalEndpoint {
  IpAddress address;     // meaningless with a hostname
  std::string hostname;  // lower case, no dot at the end; empty = by address
  std::uint16_t port = 0;
  Locality locality;
  std::uint32_t weight = 1;

  friend bool operator==(const ExternalEndpoint&, const ExternalEndpoint&) = default;
};

/// Gives hosts to the endpoints that its selectors choose, with the policy by which DNS answers.
struct VirtualDestination {
  ObjectMeta meta;
  std::vector<std::string> hosts;  // lower case, no dot at the end
  std::vector<ServiceSelector> services;
  std::vector<PortMapping> ports;
  std::vector<ExternalEndpoint> external_endpoints;
  Policy policy;

  friend bool operator==(const VirtualDestination&, const VirtualDestination&) = default;
};

/// The address at which clients of other networks enter a cluster (its network).
struct Gateway {
  IpAddress address;
  std::vector<Port> ports;

  friend bool operator==(const Gateway&, const Gateway&) = default;
};

/// A row of a Cluster's `agents`: the nodes that it names may list services of these names in these namespaces. In each
/// pattern a `*` stands for any characters, also for none. An empty list of namespaces or services means all of them.
struct AgentRow {
  std::vector<std::string> nodes, namespaces, services;

  friend bool operator==(const AgentRow&, const AgentRow&) = default;
};

/// The most of each that one node of a cluster may have.
struct NodeQuota {
  std::size_t endpoints = 1000;
  std::size_t prefixes = 16;
  std::size_t addresses = 16;

  friend bool operator==(const NodeQuota&, const NodeQuota&) = default;
};

/// An operator's description of a cluster. Its locality fills the parts that the cluster's nodes leave empty.
struct Cluster {
  ObjectMeta meta;  // meta.name is the cluster's name
  Locality locality;
  std::vector<Gateway> gateways;
  std::map<std::string, Duration> distances;            // round-trip time, by the other cluster's name
  std::vector<Prefix> client_prefixes;                  // clients with an address in these are in this cluster
  std::optional<std::vector<Prefix>> allowed_prefixes;  // agents' prefixes count only inside these; unset = all count
  std::vector<AgentRow> agents;  // the first row that names a node decides; empty = every node may list everything
  std::optional<NodeQuota> node_quota;

  friend bool operator==(const Cluster&, const Cluster&) = default;
};

}  // namespace meshdns::model
