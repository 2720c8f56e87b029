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

struct ObjectMeta {
  std::string name;
  std::string namespace_;       // empty for Cluster
  std::int64_t created = 0;     // unix seconds, set by the origin
  std::string origin;           // "cluster/instance"
  std::string manager = "cli";  // cli or kubernetes

  /// "shop/app-b", or the name alone
  std::string key() const { return namespace_.empty() ? name : namespace_ + "/" + name; }
  friend bool operator==(const ObjectMeta&, const ObjectMeta&) = default;
};

/// One condition on labels, as in Kubernetes: a label that is missing is not In, and is NotIn.
struct LabelExpression {
  enum class Operator : std::uint8_t { In, NotIn, Exists, DoesNotExist };
  std::string key;
  Operator op = Operator::Exists;
  std::vector<std::string> values;  // of In and NotIn

  bool holds(const Labels& labels) const;
  friend bool operator==(const LabelExpression&, const LabelExpression&) = default;
};

/// Which endpoints stand behind a name; every given condition must hold.
struct ServiceSelector {
  std::string namespace_;             // empty = the object's own
  std::string name;                   // service name; empty = any
  std::vector<std::string> clusters;  // empty = all
  Labels match_labels;
  std::vector<LabelExpression> match_expressions;

  friend bool operator==(const ServiceSelector&, const ServiceSelector&) = default;
};

struct PortMapping {
  std::string name;
  std::uint16_t number = 0;
  std::string protocol = "TCP";
  std::string target_port;  // a number or the endpoint's port name; empty = the same number
  std::string app_protocol;

  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

/// An endpoint outside the mesh. Counts as serving: by address always, by hostname while it has ever been resolved.
struct ExternalEndpoint {
  IpAddress address;     // meaningless with a hostname
  std::string hostname;  // lower case, no dot at the end; empty = by address
  std::uint16_t port = 0;
  Locality locality;
  std::uint32_t weight = 1;

  friend bool operator==(const ExternalEndpoint&, const ExternalEndpoint&) = default;
};

struct VirtualDestination {
  ObjectMeta meta;
  std::vector<std::string> hosts;  // lower case, no dot at the end
  std::vector<ServiceSelector> services;
  std::vector<PortMapping> ports;
  std::vector<ExternalEndpoint> external_endpoints;
  Policy policy;

  friend bool operator==(const VirtualDestination&, const VirtualDestination&) = default;
};

/// Where a cluster (its network) is entered from other networks.
struct Gateway {
  IpAddress address;
  std::vector<Port> ports;

  friend bool operator==(const Gateway&, const Gateway&) = default;
};

struct Cluster {
  ObjectMeta meta;  // meta.name is the cluster
  Locality locality;
  std::vector<Gateway> gateways;
  std::map<std::string, Duration> distances;  // cluster -> round-trip time
  std::vector<Prefix> client_prefixes;
  std::optional<std::vector<Prefix>> allowed_prefixes;  // what its agents may report; unset = all

  friend bool operator==(const Cluster&, const Cluster&) = default;
};

}  // namespace meshdns::model
