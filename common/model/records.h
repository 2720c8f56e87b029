#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/model/endpoint.h"
#include "common/model/objects.h"

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

  friend bool operator==(const Service&, const Service&) = default;
};

/// Everything that is known of the mesh, by key; the catalog's content, and what topology decides from.
struct Records {
  std::map<std::string, Node> nodes;
  std::map<std::string, NodeStatus> statuses;  // by node; none = the node is heard
  std::map<std::string, Endpoint> endpoints;
  std::map<ServiceKey, Service> services;
  std::map<std::string, VirtualDestination> destinations;  // by "namespace/name"
  std::map<std::string, Cluster> clusters;                 // by name
};

/// Where a node is: its own locality, with the parts that it leaves open filled from its Cluster object.
Locality locality_of(const Records& records, const std::string& node);

}  // namespace meshdns::model
