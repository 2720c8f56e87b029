#pragma once

#include <string>
#include <vector>

#include "common/model/records.h"
#include "dnsd/topology/address_claims.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/topology/words.h"

namespace meshdns::topology {

/// What of the configuration decides which hosts there are.
struct HostNaming {
  std::vector<std::string> zones;                           // "mesh.internal"
  std::string auto_hosts = "{service}.{namespace}.{zone}";  // empty = off
};

/// Why an object, or one of its hosts, has no effect; or why a service has no automatic host.
struct Conflict {
  std::string object;  // "shop/app-b", or "service blog/web"
  std::string message;

  friend bool operator==(const Conflict&, const Conflict&) = default;
};

/// What plans are made from. Refers to its parts.
struct PlanContext {
  const model::Records& records;
  const AddressClaims& claims;  // of the records
  const Overrides& overrides;   // those of the records, or others where somebody asks what they would do
  TimePoint now;
};

/// The selector matches the endpoint's namespace, service and labels.
bool selects(const model::ServiceSelector& selector, const std::string& own_namespace, const model::Endpoint& endpoint);
bool selects_cluster(const model::ServiceSelector& selector, const std::string& cluster);

/// What stands behind a service without an object, with the ports that its endpoints name; name and zone are the
/// caller's. endpoints: in the order of the candidates
HostPlan plan_service(const PlanContext& context, const std::vector<const model::Endpoint*>& endpoints);

/// What stands behind an object whose selectors match these endpoints; name and zone are the caller's.
HostPlan plan_object(const PlanContext& context, const model::VirtualDestination& object,
                     const std::vector<const model::Endpoint*>& endpoints);

/// Whether nobody has heard for a lease that an endpoint lives: of its node, or of it alone. status: null = all is well
bool is_silent(const model::Endpoint& endpoint, const model::NodeStatus* status);

/// How one endpoint stands; its ports are those of no host yet.
Candidate candidate_of(const PlanContext& context, const model::Endpoint& endpoint);

/// The standing of candidate_of(), without the rest.
Standing standing_of(const PlanContext& context, const model::Endpoint& endpoint);

/// The zone of a host: the longest that it is below; empty = none, or the host is an apex.
std::string zone_of(const std::vector<std::string>& zones, const std::string& host);

}  // namespace meshdns::topology
