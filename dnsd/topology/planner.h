#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/model/record_observer.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/topology/plan.h"
#include "dnsd/topology/publication_queue.h"

namespace meshdns::topology {

// How it works. The planner turns records into HostPlans, and only those that a change touches.
//
//   record changes          the planner's index                            take()
//   ------------------      ------------------------------------------     ---------------------
//   endpoint, node     -->  groups_  "service shop web" -> endpoints   --> HostPlans of the most
//                           owners_  host -> object or service             urgent touched hosts
//   object, service    -->  objects_, services_: not yet settled
//   any of them        -->  queue_   touched hosts, by urgency
//
// Owners. A host belongs to one object, or else to one service (an automatic host). Objects claim before services, the
// oldest first. settle() brings owners_ up to date before anybody reads it. If an object changed or a service went,
// settle() computes all owners again, because a host that becomes free may be claimed by somebody else; that costs the
// number of hosts. A new service, the frequent case, is settled alone, unless two services claim one name.
//
// Groups. A selector looks only in its narrowest group: the endpoints of a service, with one label, or of a namespace.
// Each service with endpoints has a group; groups of labels and namespaces exist only where some selector needs them.
// The other way round, an endpoint's groups know the objects whose selectors look there: so a change of an endpoint
// finds its hosts without a walk over all objects.
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
  std::vector<std::string> emptied(const model::Target& target, TimePoint now, const Overrides& overrides);
  /// A search for the hosts that overrides for these targets may change: hosts with endpoints in a target, and all
  /// hosts with external endpoints. The search is a value, so that it can go on in slices.
  struct HitSearch {
    std::vector<model::Target> targets;
    std::set<std::string> hosts{};    // the result so far
    std::set<model::Target> known{};  // targets that some endpoint belongs to
    std::size_t at = 0;               // index of the target that is being searched for
    std::string after{};              // the key of the last endpoint that was compared with that target
  };
  /// Goes on with a search. Records may change between calls.
  /// steps: the most endpoints to look at; a node that a target does not hit counts as one
  /// returns: true = the search is complete
  bool search(HitSearch& search, std::size_t steps);
  /// Returns the endpoints that a selector of an object in this namespace matches, by key.
  std::vector<const model::Endpoint*> endpoints_of(const model::ServiceSelector& selector,
                                                   const std::string& own_namespace);
  /// Returns why objects, hosts and services have no effect, as the records are now.
  const std::vector<Conflict>& conflicts();
  /// Returns how many services have lost their automatic host to an older service of the same name.
  std::size_t services_without_host() {
    settle();
    return contested_services_.size();
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
  /// The owner of a host: an object, or a service if `object` is empty.
  struct Owner {
    std::string object;  // "shop/app-b"
    model::ServiceKey service;

    friend bool operator==(const Owner&, const Owner&) = default;
  };
  /// Endpoints with one property that selectors look for first: a service, a label, or a namespace.
  class Group {
   public:
    std::set<std::string> objects;  // keys of the objects whose selectors look in this group
    /// The group contains all its endpoints; false while rebuild_groups() still has to add them.
    bool filled = true;

    void add(const model::Endpoint* endpoint);
    /// Removes an endpoint in constant time: the next call of members() erases it from the list.
    void remove(const model::Endpoint* endpoint) { gone_.insert(endpoint); }
    std::size_t size() const { return members_.size() - gone_.size(); }
    const std::vector<const model::Endpoint*>& members() const;

   private:
    mutable std::vector<const model::Endpoint*> members_;
    mutable std::unordered_set<const model::Endpoint*> gone_;  // still in members_; may be dangling: only compared
  };
  using Owners = std::unordered_map<std::string, Owner>;

  /// Queues hosts, or the hosts of an endpoint or of a node's endpoints, for the next take().
  void touch(const std::set<std::string>& hosts, Urgency urgency);
  void touch(const model::Endpoint& endpoint, Urgency urgency);
  void touch_node(const std::string& node, Urgency urgency);
  /// Queues the hosts of the endpoints that claim an address of this one: who owns the address may be different now.
  void touch_rivals(const model::Endpoint& endpoint);
  /// Adds the hosts that an endpoint, or an object, belongs to.
  void add_hosts_of(const model::Endpoint& endpoint, std::set<std::string>& out);
  void add_hosts_of_object(const std::string& key, std::set<std::string>& out) const;
  std::set<std::string> hosts_hit(const model::Target& target);
  void search_service(HitSearch& search);
  bool search_unsettled(HitSearch& search, std::size_t steps);
  bool search_by_node(HitSearch& search, std::size_t& steps);
  bool search_by_endpoint(HitSearch& search, std::size_t& steps);
  /// Visits the groups of an endpoint that exist.
  template <class F>
  void for_groups(const model::Endpoint& endpoint, F visit);
  /// Brings owners and conflicts up to date with the records.
  void settle();
  /// Computes all owners and conflicts from the beginning. A host that becomes free may be claimed by another one.
  void settle_objects();
  void rebuild_groups();
  void claim_by_object(const model::VirtualDestination& object, Owners& owners);
  void claim_by_service(const model::ServiceKey& service, Owners& owners);
  /// Returns the services in the order in which they may claim a host: the oldest first.
  std::vector<model::ServiceKey> services_by_claim() const;
  /// Gives a service the hosts that nobody owns.
  /// returns: false = another service claims one of them too: settle_objects() has to decide
  bool settle_alone(const model::ServiceKey& service);
  void replace_owners(Owners owners);
  std::vector<const model::Endpoint*> endpoints_of(const model::VirtualDestination& object) const;
  void add_endpoints_of(const model::ServiceSelector& selector, const std::string& own_namespace,
                        std::vector<const model::Endpoint*>& out) const;
  std::vector<const model::Endpoint*> endpoints_of(const Owner& owner) const;
  bool serves(const Owner& owner, const PlanContext& context) const;
  HostPlan plan_of(const std::string& host, const Owner& owner, const PlanContext& context) const;
  /// Estimates how many endpoints a host has; never too few.
  std::size_t endpoint_count(const Owner& owner) const;
  Duration cost_of(const std::string& host, const Cost& cost) const;
  void take_erased(Changes& out);

  const model::Records& records_;
  HostNaming naming_;
  std::function<bool(const std::string&)> is_static_ = [](const std::string&) { return false; };
  std::unordered_map<std::string, Group> groups_;
  Owners owners_;
  AddressClaims claims_;
  std::vector<Conflict> conflicts_;
  std::set<model::ServiceKey> contested_services_;  // they have lost a host to another service
  std::set<std::string> contested_hosts_;           // several services claim them
  bool places_ = false;                             // nodes or clusters changed since the last take()
  bool geography_ = false;         // clusters, or distances between them, changed since the last take()
  bool grouped_by_more_ = false;   // there are groups besides services: some selector looks for a label or a namespace
  PublicationQueue queue_;         // hosts that wait to be planned again
  std::set<std::string> erased_;   // hosts that went since the last take()
  std::set<std::string> objects_;  // keys of objects that changed and are not settled
  std::set<model::ServiceKey> services_;  // services that changed and are not settled
};

/// All hosts of some records, see plan_hosts().
/// Returns the rank of an object among those that claim a host: the object with the least rank has the host.
/// source: docs/design.md section 4, step 1
inline auto claim_rank(const model::ObjectMeta& meta, const std::string& key) {
  return std::make_tuple(meta.created, meta.origin, key);
}

struct Plan {
  std::vector<HostPlan> hosts;  // by name
  std::vector<Conflict> conflicts;
};

/// Returns the plans of all hosts at once, for records that do not change. Pure.
Plan plan_hosts(const model::Records& records, const HostNaming& naming,
                std::function<bool(const std::string&)> is_static, TimePoint now);

}  // namespace meshdns::topology
