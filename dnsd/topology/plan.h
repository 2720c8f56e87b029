#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/model/records.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

/// What of the configuration decides which hosts there are.
struct HostNaming {
  std::vector<std::string> zones;                           // "mesh.internal"
  std::string auto_hosts = "{service}.{namespace}.{zone}";  // empty = off
};

/// Why an object, or one of its hosts, has no effect.
struct Conflict {
  std::string object;  // "shop/app-b"
  std::string message;

  friend bool operator==(const Conflict&, const Conflict&) = default;
};

struct Plan {
  std::vector<HostPlan> hosts;  // by name
  std::vector<Conflict> conflicts;
};

/// Which hosts exist and which endpoints stand behind each. Pure.
/// is_static: true for names that static records hold; no host may coincide with them
/// source:    design.md section 4, steps 1 and 2
Plan plan_hosts(const model::Records& records, const HostNaming& naming,
                const std::function<bool(const std::string&)>& is_static);

/// How one endpoint stands; its ports are those of no host yet.
Candidate candidate_of(const model::Records& records, const model::Endpoint& endpoint);

/// Where an endpoint is: its node's locality, with the parts that it leaves open filled from its Cluster object.
model::Locality locality_of(const model::Records& records, const std::string& node);

/// The zone of a host: the longest that it is below; empty = none, or the host is an apex.
std::string zone_of(const std::vector<std::string>& zones, const std::string& host);

}  // namespace meshdns::topology
