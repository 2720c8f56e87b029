#pragma once

#include <string>
#include <vector>

#include "common/model/records.h"
#include "dnsd/topology/address_claims.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/topology/words.h"

namespace meshdns::topology {

/// The part of the configuration that decides which hosts exist.
struct HostNaming {
  std::vector<std::string> zones;                           // where hosts may be: "mesh.internal"
  std::string auto_hosts = "{service}.{namespace}.{zone}";  // the pattern of automatic hosts; empty = there are none
};

/// A conflict: the reason why an object, or one of its hosts, has no effect, or why a service has no automatic host.
struct Conflict {
  std::string object;  // "shop/app-b", or "service blog/web"
  std::string message;

  friend bool operator==(const Conflict&, const Conflict&) = default;
};

/// The input of a plan. Everything that it refers to must outlive it.
struct PlanContext {
  const model::Records& records;
  const AddressClaims& claims;  // those of `records`
  const Overrides& overrides;   // those of `records`, or others, to find out what they would do
  TimePoint now;
};

/// Returns whether the selector matches the endpoint's namespace, one of its services, and its labels. Clusters are not looked at.
/// own_namespace: the namespace of the object, for a selector that names none
bool selects(const model::ServiceSelector& selector, const std::string& own_namespace, const model::Endpoint& endpoint);
/// Returns whether the selector matches the cluster; a selector without clusters matches all.
bool selects_cluster(const model::ServiceSelector& selector, const std::string& cluster);

/// Returns the plan of the automatic host of a service, with the ports that its endpoints name. The caller sets name
/// and zone.
/// service:   its name, without the namespace
/// endpoints: become the candidates, in this order
HostPlan plan_service(const PlanContext& context, const std::string& service,
                      const std::vector<const model::Endpoint*>& endpoints);

/// Returns the plan of a host of an object whose selectors match these endpoints. The caller sets name and zone.
HostPlan plan_object(const PlanContext& context, const model::VirtualDestination& object,
                     const std::vector<const model::Endpoint*>& endpoints);

/// Returns whether nobody has heard for a lease that the endpoint lives: its node is silent, or the endpoint alone is,
/// because its agent runs but does not check it.
/// status: null = there is nothing to say about the node
bool is_silent(const model::Endpoint& endpoint, const model::NodeStatus* status);

/// Returns the candidate of an endpoint: its standing after overrides and lost addresses. Its ports are not set: they
/// depend on the host.
/// not_ready_too: the host publishes the endpoint whatever its readiness (HostPart::not_ready_too())
Candidate candidate_of(const PlanContext& context, const model::Endpoint& endpoint, bool not_ready_too = false);

/// Returns the standing that candidate_of() would find, at less cost.
Standing standing_of(const PlanContext& context, const model::Endpoint& endpoint, bool not_ready_too = false);

/// Returns the zone of a host: the longest zone that the host is below.
/// returns: empty = the host is below no zone, or is itself the apex of one
std::string zone_of(const std::vector<std::string>& zones, const std::string& host);

}  // namespace meshdns::topology
