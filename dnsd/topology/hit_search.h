#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "common/model/records.h"
#include "dnsd/topology/endpoint_groups.h"
#include "dnsd/topology/host_owners.h"

namespace meshdns::topology {

/// A search for the hosts that overrides for these targets may change: hosts with endpoints in a target, and all hosts
/// with external endpoints. The search is a value, so that it can go on in slices.
struct HitSearch {
  std::vector<model::OverrideTarget> targets;
  std::set<std::string> hosts{};            // the result so far
  std::set<model::OverrideTarget> known{};  // targets that some endpoint belongs to
  std::size_t at = 0;                       // index of the target that is being searched for
  std::string after{};                      // the key of the last endpoint that was compared with that target
};

/// The records with the planner's index of them. Everything that it refers to must outlive it.
struct HostIndex {
  const model::Records& records;
  const EndpointGroups& groups;  // those of `records`
  const HostOwners& owners;      // those of `records`

  /// Adds the hosts that an endpoint belongs to.
  void add_hosts_of(const model::Endpoint& endpoint, std::set<std::string>& out) const;
  /// Adds the hosts that belong to the object of this key, if there is such an object.
  void add_hosts_of_object(const std::string& key, std::set<std::string>& out) const;
};

/// Goes on with a search. Records may change between calls.
/// steps: the most endpoints to look at; a node that a target does not hit counts as one
/// returns: true = the search is complete
bool continue_search(const HostIndex& index, HitSearch& search, std::size_t steps);

}  // namespace meshdns::topology
