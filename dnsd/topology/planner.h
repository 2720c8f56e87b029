#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/model/record_observer.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/topology/plan.h"
#include "dnsd/topology/publication_queue.h"

namespace meshdns::topology {

/// Which hosts exist and which endpoints stand behind each, kept equal to the records: a change costs what it touches,
/// not the number of hosts. Without clock, socket and lock.
/// source: docs/design.md section 4, steps 1 and 2
class Planner : public model::RecordObserver {
 public:
  struct Changes {
    std::vector<HostPlan> put;  // by name; new hosts, and those that something touched
    std::vector<std::string> erased;
    std::set<std::string> steps;  // those of `put` that only the time has changed
    bool removals = false;        // some host of `put` is urgent
    bool places = false;          // nodes or clusters became different: where clients are may be too
    bool geography = false;       // clusters, or what is measured of them, became different
  };
  /// Estimates what it costs to plan and to compile a host with this policy and about so many endpoints.
  using Cost = std::function<Duration(const model::Policy& policy, std::size_t endpoints)>;

  /// records: as they are now; they outlive the planner, which must hear of every change from now on
  explicit Planner(const model::Records& records);

  /// Sets which hosts there are; a host that stays is not planned again. is_static: true for names that static records
  /// hold; no host may coincide with them
  void configure(HostNaming naming, std::function<bool(const std::string&)> is_static);

  /// Returns everything that became different since the last call.
  Changes take(TimePoint now) {
    return take(now, {}, [](const model::Policy&, std::size_t) { return Duration::zero(); });
  }
  /// Returns the most urgent changes whose cost together keeps to the limits, and at least one; the rest waits for the
  /// next call. Hosts that are gone are all returned.
  Changes take(TimePoint now, const SliceLimits& limits, const Cost& cost);
  /// The hosts that wait, in their order.
  const PublicationQueue& queue() {
    settle();
    return queue_;
  }
  /// The next take() is going to say that places are different.
  bool moves_clients() const { return places_; }

  /// When take() has something new though no record has changed; nothing = never.
  std::optional<TimePoint> next_due() const { return queue_.next_due(); }

  /// A host as it is now, changes not yet taken included.
  std::optional<HostPlan> plan(const std::string& host, TimePoint now) { return plan(host, now, records_.overrides); }
  /// As it would be with these overrides instead of the records'.
  std::optional<HostPlan> plan(const std::string& host, TimePoint now, const Overrides& overrides);
  /// Of the hosts with endpoints in the target: those that would have no serving one with these overrides instead of
  /// the records', though they have one now. By name.
  std::vector<std::string> emptied(const model::Target& target, TimePoint now, const Overrides& overrides);
  /// A search for the hosts with endpoints that an override for any of the targets is for, or with external endpoints.
  struct HitSearch {
    std::vector<model::Target> targets;
    std::set<std::string> hosts{};    // found so far
    std::set<model::Target> known{};  // targets that some endpoint belongs to
    std::size_t at = 0;               // the target that is looked for
    std::string after{};              // the key of the last endpoint that was looked at for it
  };
  /// Looks at so many endpoints more, or at their nodes where whole nodes are hit or not. Records may change between
  /// calls. returns: true = all are found
  bool search(HitSearch& search, std::size_t steps);
  /// What a selector of an object in this namespace matches, by key.
  std::vector<const model::Endpoint*> endpoints_of(const model::ServiceSelector& selector,
                                                   const std::string& own_namespace);
  const std::vector<Conflict>& conflicts();
  /// How many services have lost their automatic host to an older one of the same name.
  std::size_t services_without_host() {
    settle();
    return contested_services_.size();
  }
  /// Whose the addresses are that several endpoints claim.
  const AddressClaims& claims() const { return claims_; }
  std::size_t hosts();
  /// Of more hosts than this nobody is told which one may be meant: it takes longer than an answer may.
  static constexpr std::size_t kMostGuessedHosts = 10000;
  /// The host whose name was perhaps meant by a name that is none.
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
  /// Who a host belongs to: an object, or else a service.
  struct Owner {
    std::string object;  // "shop/app-b"
    model::ServiceKey service;

    friend bool operator==(const Owner&, const Owner&) = default;
  };
  /// Endpoints that have something in common which selectors ask for first: a service, a label, a namespace.
  class Group {
   public:
    std::set<std::string> objects;  // whose selectors look here
    bool filled = true;

    void add(const model::Endpoint* endpoint);
    /// Costs nothing that grows with the group: the endpoint is taken out by the next look at the members.
    void remove(const model::Endpoint* endpoint) { gone_.insert(endpoint); }
    std::size_t size() const { return members_.size() - gone_.size(); }
    const std::vector<const model::Endpoint*>& members() const;

   private:
    mutable std::vector<const model::Endpoint*> members_;
    mutable std::unordered_set<const model::Endpoint*> gone_;  // are among the members; may be dangling
  };
  using Owners = std::unordered_map<std::string, Owner>;

  void touch(const std::set<std::string>& hosts, Urgency urgency);
  void touch(const model::Endpoint& endpoint, Urgency urgency);
  void touch_node(const std::string& node, Urgency urgency);
  /// The endpoints that claim an address of this one may have it now, or no more.
  void touch_rivals(const model::Endpoint& endpoint);
  /// The hosts that an endpoint, or an object, stands behind.
  void add_hosts_of(const model::Endpoint& endpoint, std::set<std::string>& out);
  void add_hosts_of_object(const std::string& key, std::set<std::string>& out) const;
  std::set<std::string> hosts_hit(const model::Target& target);
  void search_service(HitSearch& search);
  bool search_unsettled(HitSearch& search, std::size_t steps);
  bool search_by_node(HitSearch& search, std::size_t& steps);
  bool search_by_endpoint(HitSearch& search, std::size_t& steps);
  /// The groups of an endpoint that exist.
  template <class F>
  void for_groups(const model::Endpoint& endpoint, F visit);
  /// Hosts and conflicts as the records have it now.
  void settle();
  void settle_objects();
  void rebuild_groups();
  void claim_by_object(const model::VirtualDestination& object, Owners& owners);
  void claim_by_service(const model::ServiceKey& service, Owners& owners);
  /// Services in the order in which they may claim a host.
  std::vector<model::ServiceKey> services_by_claim() const;
  /// Gives a service the hosts that nobody has. returns: false = another service claims some of them too, and who has
  /// them is to be settled for all
  bool settle_alone(const model::ServiceKey& service);
  void replace_owners(Owners owners);
  std::vector<const model::Endpoint*> endpoints_of(const model::VirtualDestination& object) const;
  void add_endpoints_of(const model::ServiceSelector& selector, const std::string& own_namespace,
                        std::vector<const model::Endpoint*>& out) const;
  std::vector<const model::Endpoint*> endpoints_of(const Owner& owner) const;
  bool serves(const Owner& owner, const PlanContext& context) const;
  HostPlan plan_of(const std::string& host, const Owner& owner, const PlanContext& context) const;
  /// About how many endpoints a host has; never too few.
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
  std::set<model::ServiceKey> contested_services_;  // that have lost a host to another service
  std::set<std::string> contested_hosts_;           // that several services claim
  bool places_ = false;                             // nodes or clusters became different
  bool geography_ = false;                          // clusters, or what is measured of them
  bool grouped_by_more_ = false;                    // than services: some selector asks for labels or a namespace
  PublicationQueue queue_;                          // hosts that are to be planned again
  std::set<std::string> erased_;                    // hosts that were there at the last take()
  std::set<std::string> objects_;                   // that came, changed or went
  std::set<model::ServiceKey> services_;            // the same
};

struct Plan {
  std::vector<HostPlan> hosts;  // by name
  std::vector<Conflict> conflicts;
};

/// All of it at once, for records that do not change. Pure.
Plan plan_hosts(const model::Records& records, const HostNaming& naming,
                std::function<bool(const std::string&)> is_static, TimePoint now);

}  // namespace meshdns::topology
