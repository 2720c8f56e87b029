#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/model/record_observer.h"
#include "dnsd/topology/endpoint_groups.h"
#include "dnsd/topology/hit_search.h"
#include "dnsd/topology/host_owners.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/topology/plan.h"
#include "dnsd/topology/port_mappings.h"
#include "dnsd/topology/publication_queue.h"

namespace meshdns::topology {

class HostPart;

// How it works. The planner turns records into HostPlans, and only those that a change touches.
//
//   record changes          the planner's index                            take()
//   ------------------      ------------------------------------------     ---------------------
//   endpoint, node     -->  groups_  selector -> endpoints, and back  -->  HostPlans of the most
//                           owners_  host -> object or service             urgent touched hosts
//   object, service    -->  objects_, services_: not yet settled
//   any of them        -->  queue_   touched hosts, by urgency
//
// Settling. settle() brings owners_ up to date before anybody reads it. If an object changed or a service went,
// settle() lets HostOwners compute all owners again, which costs the number of hosts. A new service, the frequent case,
// is settled alone, unless two services claim one name.
//
// Touching. A change puts hosts into queue_: as a removal if something that is answered may have to go, otherwise as an
// addition. Where the planner cannot tell, it is a removal: that is published earlier and does no harm. Endpoints that
// claim the same address are touched too (AddressClaims), because the address may belong to another one now.
//
// Not done: no HostPlan is kept. A plan is computed when it is taken or asked for, so that a host that changes often is
// planned once per publication, and memory does not grow with the candidates of all hosts.

/// Knows which hosts exist and which endpoints belong to each, and plans the hosts that changes touch. The publisher
/// takes the changes; explain and lint ask for single plans. Has no clock, socket or lock, and answers no query.
/// thread: that of whoever changes the records
/// source: docs/design.md section 4, steps 1 and 2
class Planner : public model::RecordObserver {
 public:
  /// The hosts of one publication.
  struct Changes {
    std::vector<HostPlan> put;  // in the order of their names: new hosts, and hosts that a change touched
    std::vector<std::string> erased;
    std::set<std::string> steps;  // hosts of `put` that only the time has changed
    bool removals = false;        // some host of `put` is a removal (see Urgency)
    bool places = false;          // nodes or clusters changed: clients may be in other places now
    bool geography = false;       // clusters, or distances measured between them, changed
  };
  /// Estimates how long it takes to plan and compile a host with this policy and about this number of endpoints.
  using Cost = std::function<Duration(const model::Policy& policy, std::size_t endpoints)>;

  /// records: must outlive the planner, which must hear of every change from now on
  explicit Planner(const model::Records& records);

  /// Sets zones and names of hosts. A host that exists before and after is not planned again.
  /// is_static: returns true for names with static records; no host may have such a name
  void configure(HostNaming naming, std::function<bool(const std::string&)> is_static);

  /// Returns all changes since the last call.
  Changes take(TimePoint now) {
    return take(now, {}, [](const model::Policy&, std::size_t) { return Duration::zero(); });
  }
  /// Returns the most urgent changes, at least one, whose cost together keeps to the limits. The other hosts wait for
  /// the next call. Hosts that are gone are always returned, all of them.
  Changes take(TimePoint now, const SliceLimits& limits, const Cost& cost);
  /// Returns the hosts that wait for a take(), in their order.
  const PublicationQueue& queue() {
    settle();
    return queue_;
  }
  /// Returns whether the next take() is going to set Changes::places.
  bool moves_clients() const { return places_; }

  /// Returns when take() has something new though no record has changed; nothing = never.
  std::optional<TimePoint> next_due() const { return queue_.next_due(); }

  /// Returns the plan of a host as the records are now, changes that were not taken yet included.
  /// returns: nothing = the host does not exist
  std::optional<HostPlan> plan(const std::string& host, TimePoint now) { return plan(host, now, records_.overrides); }
  /// Returns the plan that the host would have with these overrides instead of the records' own.
  std::optional<HostPlan> plan(const std::string& host, TimePoint now, const Overrides& overrides);
  /// Returns the hosts that these overrides, in the place of the records' own, would leave without a serving endpoint.
  /// Hosts without endpoints in the target, and hosts that have none serving now, are left out.
  /// returns: in the order of names
  std::vector<std::string> emptied(const model::OverrideTarget& target, TimePoint now, const Overrides& overrides);
  using HitSearch = topology::HitSearch;
  /// Goes on with a search for the hosts that overrides may change, see continue_search().
  bool search(HitSearch& search, std::size_t steps);
  /// Returns the endpoints that a selector of an object in this namespace matches, by key.
  std::vector<const model::Endpoint*> endpoints_of(const model::ServiceSelector& selector,
                                                   const std::string& own_namespace);
  /// Returns why objects, hosts and services have no effect, as the records are now.
  const std::vector<Conflict>& conflicts();
  /// Returns how many services lack an automatic host: an older service of the same name has it, or its name would be
  /// too long.
  std::size_t services_without_host() {
    settle();
    return owners_.hostless_services();
  }
  /// Returns the ports that objects want mapped by the agents of their endpoints, as the records are now.
  PortMappings& mappings() {
    settle();
    return mappings_;
  }
  /// Returns the index that knows who owns an address that several endpoints claim.
  const AddressClaims& claims() const { return claims_; }
  /// Returns the number of hosts.
  std::size_t hosts();
  /// Among more hosts than this, similar_host() does not search: it would take longer than an answer may.
  static constexpr std::size_t kMostGuessedHosts = 10000;
  /// Returns the host whose name is similar to a name that is no host's, for "did you mean".
  std::optional<std::string> similar_host(const std::string& name);

  void endpoint_entered(const model::Endpoint& endpoint) override;
  void endpoint_updated(const model::Endpoint& endpoint) override;
  void endpoint_leaves(const model::Endpoint& endpoint) override;
  void node_changed(const std::string& node) override;
  void node_status_changed(const std::string& node) override;
  void service_changed(const model::ServiceKey& service) override { services_.insert(service); }
  void destination_changed(const std::string& key) override;
  void cluster_changed(const std::string& name) override;
  void cluster_status_changed(const std::string&) override { geography_ = true; }
  void external_name_changed(const std::string& hostname) override;
  void override_changed(const model::Override& override) override;

 private:
  using Owner = HostOwners::Owner;

  HostIndex index() const { return {records_, groups_, owners_}; }
  /// Queues hosts, or the hosts of an endpoint or of a node's endpoints, for the next take().
  void touch(const std::set<std::string>& hosts, Urgency urgency);
  void touch(const model::Endpoint& endpoint, Urgency urgency);
  void touch_node(const std::string& node, Urgency urgency);
  /// Queues the hosts of the endpoints that claim an address of this one: who owns the address may be different now.
  void touch_rivals(const model::Endpoint& endpoint);
  /// Returns the hosts that overrides for this target may change.
  std::set<std::string> hosts_hit(const model::OverrideTarget& target) const;
  /// Brings owners and conflicts up to date with the records.
  void settle();
  void settle_all();
  bool settle_alone(const model::ServiceKey& service);
  std::vector<const model::Endpoint*> endpoints_of(const Owner& owner) const;
  HostPart part_of(const Owner& owner) const;
  bool serves(const Owner& owner, const PlanContext& context) const;
  HostPlan plan_of(const std::string& host, const Owner& owner, const PlanContext& context) const;
  Duration cost_of(const std::string& host, const Cost& cost) const;
  void take_erased(Changes& out);

  const model::Records& records_;
  EndpointGroups groups_;
  HostOwners owners_;
  AddressClaims claims_;
  PortMappings mappings_{records_, groups_};
  bool places_ = false;                   // nodes or clusters changed since the last take()
  bool geography_ = false;                // clusters, or distances between them, changed since the last take()
  PublicationQueue queue_;                // hosts that wait to be planned again
  std::set<std::string> erased_;          // hosts that went since the last take()
  std::set<std::string> objects_;         // keys of objects that changed and are not settled
  std::set<model::ServiceKey> services_;  // services that changed and are not settled
};

}  // namespace meshdns::topology
