#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/endpoint.h"
#include "common/model/ladder.h"
#include "common/model/locality.h"
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

/// Which endpoints stand behind a name; every given condition must hold.
struct ServiceSelector {
  std::string namespace_;             // empty = the object's own
  std::string name;                   // service name; empty = any
  std::vector<std::string> clusters;  // empty = all
  Labels match_labels;

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

/// An endpoint outside the mesh, by address. Counts as serving.
struct ExternalEndpoint {
  IpAddress address;
  std::uint16_t port = 0;
  Locality locality;
  std::uint32_t weight = 1;

  friend bool operator==(const ExternalEndpoint&, const ExternalEndpoint&) = default;
};

enum class OnEmpty : std::uint8_t { LastResort, NoData };
enum class Families : std::uint8_t { Together, Independent };

/// How a name chooses; defaults are those of a name without an object (interface.md section 2).
struct Policy {
  Ladder ladder = default_ladder();
  Families families = Families::Together;
  OnEmpty on_empty = OnEmpty::LastResort;
  Duration ttl = 5s;
  Duration ttl_min = 1s;
  std::uint32_t max_answers = 8;

  friend bool operator==(const Policy&, const Policy&) = default;
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

struct Cluster {
  ObjectMeta meta;  // meta.name is the cluster
  Locality locality;
  std::map<std::string, Duration> distances;  // cluster -> round-trip time
  std::vector<Prefix> client_prefixes;
  std::optional<std::vector<Prefix>> allowed_prefixes;  // what its agents may report; unset = all

  friend bool operator==(const Cluster&, const Cluster&) = default;
};

}  // namespace meshdns::model
