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

struct ServiceKey {
  std::string namespace_;
  std::string name;

  friend auto operator<=>(const ServiceKey&, const ServiceKey&) = default;
};

/// A service that some endpoint reports, or reported lately: its automatic host exists until it is forgotten.
struct Service {
  std::uint32_t endpoints = 0;
  TimePoint gone_since{};  // of the last one, where there is none
  /// When it was heard of first, in unix milliseconds; set once by the federation that heard of it, which gives no two
  /// services the same. Of two services whose automatic hosts have one name, the older one has it.
  std::int64_t created = 0;

  friend bool operator==(const Service&, const Service&) = default;
};

/// What a cluster's federation has learned from the cluster's agents.
struct ClusterStatus {
  std::map<std::string, Duration> distances;  // measured round-trip times, by cluster
  std::set<IpAddress> gateways_down;          // of other clusters: cannot be reached from here

  bool empty() const { return distances.empty() && gateways_down.empty(); }
  friend bool operator==(const ClusterStatus&, const ClusterStatus&) = default;
};

/// The last good addresses of a hostname that external endpoints name.
struct ExternalName {
  std::vector<IpAddress> addresses;  // at least one

  friend bool operator==(const ExternalName&, const ExternalName&) = default;
};

/// Everything that is known of the mesh, by key; the catalog's content, and what topology decides from.
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

/// Where a node is: its own locality, with the parts that it leaves open filled from its Cluster object.
Locality locality_of(const Records& records, const std::string& node);

}  // namespace meshdns::model
