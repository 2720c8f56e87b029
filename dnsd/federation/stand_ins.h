#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/model/endpoint.h"
#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"

namespace meshdns::federation {

// How it works
//
// A watcher knows every endpoint of its cluster from EndpointSlices. An agent knows more about the pods of its node,
// and sooner. So a pod belongs to the agent of its node if that agent lists pods, and to the watcher otherwise: before
// there is an agent, where none can run, and after the agent has left. The watcher's record of a pod has the same key
// as the agent's, so that a change of owner is an update in place, and an endpoint never has two records or none:
//
//                    agent reports the pod, or lists pods without it
//            .-------------------------------------------------------------.
//            |                                                             v
//      watcher's record                                              agent's record
//     (kubernetes-api)                                                (kubernetes)
//            ^                                                             |
//            '---- agent left, or said goodbye and its lease is over; -----'
//                  agent reads no pods for a lease; node was forgotten
//
// An agent that is merely silent keeps its records: Kubernetes calls the pods of a dead machine ready for 40 s or more,
// and the lease is the better judge. But it keeps no claim on pods that it has never reported.
//
// An agent of an older version lists only pods with a service of their own. It never claims the others: each of its
// pods belongs to the agent while it names the pod, and to the watcher otherwise.

/// Puts the endpoints that a watcher knows into the catalog where no agent owns them. Pure, except for the catalog.
/// thread: control
class StandIns {
 public:
  /// An endpoint as the watcher knows it.
  struct Known {
    model::Endpoint endpoint;  // source kSliceSource
    model::Node node;          // where it is: for a node that no agent has described
  };
  using Changes = std::vector<std::pair<std::string, std::optional<Known>>>;  // by key; nothing = gone

  /// What happens to the endpoints of a node that are no pods when the watcher takes its pods over.
  enum class Others : std::uint8_t {
    Go,         // their agent withdraws them
    Unwatched,  // their agent is gone without withdrawing them: they stay as the last resort
    Stay,       // their agent still checks them
  };

  /// catalog: must outlive this
  explicit StandIns(catalog::Catalog& catalog) : catalog_(catalog) {}

  // ---- by the watcher of a cluster ----

  /// Takes what has changed at the watcher, as one revision.
  /// first: these are all endpoints of the cluster, so that others which an earlier run has put are withdrawn
  void apply(const std::string& cluster, Changes changes, bool first, TimePoint now);
  /// Puts endpoints again that were refused for want of room.
  void offer_room(TimePoint now);

  // ---- by the agents. All names of nodes are keys: "cluster/node" ----

  /// Notes that an agent has reported all pods of its node: records of other pods are withdrawn.
  void agent_owns(const std::string& node, TimePoint now);
  /// Notes that an agent cannot claim pods that it has not reported: those are put.
  void agent_is_silent(const std::string& node, TimePoint now);
  /// Drops what is known of a node's agent.
  void forget(const std::string& node) { owned_.erase(node); }
  /// Replaces the records of a node's pods by those of the watcher, in one revision.
  /// returns: false = the watcher knows no endpoint of the node, and nothing has changed
  bool take_over(const std::string& node, Others others, TimePoint now);

  /// Gives a node the region and zone that the watcher knows, if its agent says neither: an agent may not have read its
  /// Node object yet.
  void place(model::Node& node) const;
  /// Returns whether the catalog has the watcher's records of the node.
  bool has_records(const std::string& node) const;
  /// Returns whether the catalog has records of the node's pods that its agent has reported.
  bool has_agents_records(const std::string& node) const;
  bool owned_by_agent(const std::string& node) const { return owned_.contains(node); }
  /// The number of a cluster's nodes whose agents list pods.
  std::size_t owned(const std::string& cluster) const;

  /// The number of endpoints that the watchers know, and how many of them are refused by the catalog.
  std::size_t known() const { return known_.size(); }
  std::size_t refused() const { return refused_.size(); }
  /// Why an endpoint is refused; empty = none is.
  std::string refusal() const;

 private:
  /// Returns whether the watcher's record of this key belongs into the catalog.
  bool is_due(const std::string& node, const std::string& key) const;
  /// Adds the record and, if it is needed, its node.
  void put(const Known& known, catalog::WatchedChange& out) const;
  void remove_leftovers(const std::string& cluster, catalog::WatchedChange& out) const;
  /// Adds the removal of nodes that have no endpoint after the change, and no agent.
  void remove_empty_nodes(const std::set<std::string>& nodes, catalog::WatchedChange& out) const;
  void commit(const catalog::WatchedChange& change, TimePoint now);
  bool has_source(const std::string& node, std::string_view source) const;
  /// Returns the first endpoint of a node that the watcher knows; null = there is none.
  const Known* first_of(const std::string& node) const;

  catalog::Catalog& catalog_;
  std::map<std::string, Known> known_;          // by key
  std::set<std::string> owned_;                 // nodes whose agents list pods
  std::map<std::string, std::string> refused_;  // why, by key
};

}  // namespace meshdns::federation
