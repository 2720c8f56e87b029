#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "common/model/records.h"
#include "dnsd/topology/plan.h"

namespace meshdns::topology {

/// Returns the rank of an object among those that claim a host: the object with the least rank has the host.
/// source: docs/design.md section 4, step 1
inline auto claim_rank(const model::ObjectMeta& meta, const std::string& key) {
  return std::make_tuple(meta.created, meta.origin, key);
}

/// Decides which hosts exist, and to whom each belongs. Used by Planner, which says when the records have changed.
/// Pure.
///
/// How it works: a host belongs to one object, or else to one service (an automatic host). Objects claim before
/// services, the oldest first. A host that becomes free may be claimed by anybody else, so claim_all() computes all
/// owners again; that costs the number of hosts. A new service, the frequent case, claims alone: claim().
class HostOwners {
 public:
  /// The owner of a host: an object, or a service if `object` is empty.
  struct Owner {
    std::string object;  // "shop/app-b"
    model::ServiceKey service;

    friend bool operator==(const Owner&, const Owner&) = default;
  };
  using Owners = std::unordered_map<std::string, Owner>;
  /// Called with the name of a host.
  using Visit = std::function<void(const std::string& host)>;

  /// records: must outlive this
  explicit HostOwners(const model::Records& records) : records_(records) {}

  /// Sets zones and names of hosts. Owners follow with the next claim_all().
  /// is_static: returns true for names with static records; no host may have such a name
  void configure(HostNaming naming, std::function<bool(const std::string&)> is_static);
  /// Computes all owners and conflicts from the beginning.
  /// owned: called for each host that is new or has another owner than before
  /// gone:  called for each host that exists no longer
  void claim_all(const Visit& owned, const Visit& gone);
  /// Gives a service the hosts that nobody owns.
  /// owned:   called for each host that is new
  /// returns: false = another service claims one of its hosts too: claim_all() has to decide
  bool claim(const model::ServiceKey& service, const Visit& owned);

  /// Returns the owner of a host; null = there is no such host.
  const Owner* find(const std::string& host) const;
  const Owners& all() const { return owners_; }
  /// Adds the hosts that belong to an object, or to a service.
  void add_hosts_of(const model::VirtualDestination& object, std::set<std::string>& out) const;
  void add_hosts_of(const model::ServiceKey& service, std::set<std::string>& out) const;
  /// Returns the zones in which hosts may be.
  const std::vector<std::string>& zones() const { return naming_.zones; }
  /// Returns why hosts of objects and services have no effect.
  const std::vector<Conflict>& conflicts() const { return conflicts_; }
  /// Returns how many services lack a host: an older service of the same name has it, or its name would be too long.
  std::size_t hostless_services() const { return hostless_services_.size(); }

 private:
  void claim_by_object(const model::VirtualDestination& object, Owners& owners);
  void claim_by_service(const model::ServiceKey& service, Owners& owners);
  /// Returns whether an automatic host of this name may be the service's: a name of Multi-Cluster Services is for a
  /// service that some cluster exports.
  bool is_for(const model::ServiceKey& service, const std::string& host) const;
  /// Returns whether a service can have an automatic host of this name. Notes the conflict if the name is too long.
  bool can_have(const model::ServiceKey& service, const std::string& host);
  /// Returns the services in the order in which they may claim a host: the oldest first.
  std::vector<model::ServiceKey> services_by_claim() const;

  const model::Records& records_;
  HostNaming naming_;
  std::function<bool(const std::string&)> is_static_ = [](const std::string&) { return false; };
  Owners owners_;
  std::vector<Conflict> conflicts_;
  std::set<model::ServiceKey> hostless_services_;
  std::set<std::string> contested_hosts_;  // several services claim them
  std::set<std::string> too_long_;         // automatic hosts that no query can name
};

}  // namespace meshdns::topology
