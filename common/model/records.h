#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/model/endpoint.h"
#include "common/model/objects.h"
#include "common/model/override.h"

namespace meshdns::model {

/// The key of a service: its namespace and name, as reported.
struct ServiceKey {
  std::string namespace_;
  std::string name;

  friend auto operator<=>(const ServiceKey&, const ServiceKey&) = default;
};

/// A service that some endpoint names, or named lately. Its automatic host exists as long as this record.
struct Service {
  std::uint32_t endpoints = 0;  // how many endpoints name the service
  TimePoint gone_since{};       // when the last endpoint went; only with `endpoints` = 0
  /// When the service was first reported, in unix milliseconds. Set once, by the federation that got the report, which
  /// gives no two services the same time. If two services make the same automatic host, the older service has it.
  std::int64_t created = 0;
  /// No cluster exports the service, so that it has no name of Multi-Cluster Services. Set by the federation that the
  /// endpoints report to. The export of an endpoint that went counts for `forget_after`.
  bool unexported = false;
  std::uint32_t exporting = 0;  // how many endpoints export the service
  TimePoint exported_until{};   // when the last of them went; only with `exporting` = 0

  friend bool operator==(const Service&, const Service&) = default;
};

/// The measurements of a cluster's agents, as the cluster's federation publishes them.
struct ClusterStatus {
  std::map<std::string, Duration> distances;  // measured round-trip times, by cluster
  std::set<IpAddress> gateways_down;          // other clusters' gateways that cannot be reached from this cluster

  bool empty() const { return distances.empty() && gateways_down.empty(); }
  friend bool operator==(const ClusterStatus&, const ClusterStatus&) = default;
};

/// The last good addresses of a hostname that external endpoints name.
struct ExternalName {
  std::vector<IpAddress> addresses;  // at least one

  friend bool operator==(const ExternalName&, const ExternalName&) = default;
};

/// All records of the mesh, by key: the content of the catalog, and the input of topology's decisions.
struct Records {
  std::map<std::string, Node> nodes;
  std::map<std::string, NodeStatus> statuses;  // by node; none = the node is heard
  std::map<std::string, Endpoint> endpoints;
  std::map<ServiceKey, Service> services;
  std::map<std::string, VirtualDestination> destinations;  // by "namespace/name"
  std::map<std::string, Cluster> clusters;                 // by name
  std::map<std::string, ClusterStatus> cluster_statuses;   // by cluster; none = nothing is measured
  std::map<std::string, ExternalName> external_names;      // by hostname; none = never resolved
  std::map<std::string, Override> overrides;               // by name
};

/// Returns a node's own locality, with the empty parts filled from its Cluster object (refined()). Empty if the node is
/// not known.
Locality locality_of(const Records& records, const std::string& node);

}  // namespace meshdns::model
