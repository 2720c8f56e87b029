#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/log/ration.h"
#include "common/model/endpoint.h"
#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"

namespace meshdns::federation {

/// What the API server of a cluster says about a pod: the services that list it.
struct Binding {
  std::string namespace_;
  std::vector<model::Membership> memberships;  // in any order
  std::string node{};  // the pod's, without the cluster; empty = not known: an agent of any node may report the pod
};

// How it works. A pod has two halves, which come from different sides in any order:
//
//   agent of the node: Endpoint, key "eu-1/n1/pod/<uid>"  --join()-->  Endpoint with memberships --> catalog
//   watcher of eu-1:   Binding of the uid                 --put()--->  the catalog's endpoint, put again with them
//
//   bindings  uid -> Binding             what the watcher has said
//   nodes     uid -> nodes               whose agents have reported the pod: finds the catalog's endpoint
//
// A half that is missing removes nothing: an agent that is away keeps its endpoints by the rules of silence, and until
// the watcher has listed its cluster in this process, the memberships that the catalog has (from the store, or from the
// leader before) stay. From listed() on, no binding means no membership. A membership is the watcher's word, not the
// node's claim: rules about nodes (NodeRules) do not judge it. But a node gets it only for a pod that runs on that node,
// in the binding's namespace.
//
// The indexes are of clusters that a watcher has named, built at its first word. Entries of `nodes` whose endpoint is
// gone are dropped when their number has doubled, so that the cost per report is constant.

/// Joins the bindings of watchers with the endpoints of agents, in the catalog. Freeze holds back what follows from a
/// binding like any other change.
/// thread: control
/// source: docs/adr/0043
class Bindings {
 public:
  /// catalog: must outlive this
  /// changed: called when the catalog may have a new revision; must be cheap
  Bindings(catalog::Catalog& catalog, std::function<void()> changed)
      : catalog_(catalog), changed_(std::move(changed)) {}

  // ---- what watchers say; each call is at most one revision, of the endpoints that it changes ----

  /// Sets the binding of a pod. Memberships that no record can hold are left out, and logged.
  void put(const std::string& cluster, const std::string& uid, Binding binding, TimePoint now);
  /// Removes the binding of a pod: no service lists it any more. Removes its memberships too, listed or not.
  void remove(const std::string& cluster, const std::string& uid, TimePoint now);
  /// Takes note that all bindings of the cluster have come: from now on, no binding = no membership.
  void listed(const std::string& cluster, TimePoint now);

  // ---- what agents say ----

  /// Sets the memberships of an endpoint that an agent reports, on its way into the catalog.
  void join(model::Endpoint& endpoint);
  /// Drops what is known of endpoints that are gone, if there may be many of them. Called in each sweep, between
  /// reports: an endpoint that was joined is in the catalog by then, or was refused.
  void tidy();

  // ---- for metrics and tests ----

  bool is_listed(const std::string& cluster) const;
  /// The number of pods with a binding.
  std::size_t size() const;
  /// The number of memberships that were left out, because no record can hold them, or the node's share is full.
  std::uint64_t left_out() const { return left_out_; }

 private:
  static constexpr std::size_t kFewestTidied = 1024;
  struct Cluster {
    bool listed = false;
    std::map<std::string, Binding> bindings;                   // by uid
    std::unordered_multimap<std::string, std::string> nodes;  // uid -> key of a node whose agent has reported it
    std::size_t tidy_at = kFewestTidied;                       // the size of `nodes` at which tidy() looks at them
  };
  using Changes = std::vector<std::pair<std::string, model::Memberships>>;

  /// Returns what is known of a cluster, with the index of the catalog's endpoints if it is new.
  Cluster& cluster(const std::string& name);
  static void note(Cluster& cluster, const std::string& uid, const std::string& node);
  /// Returns the memberships of an endpoint by what the watcher has said.
  model::Memberships memberships(const Cluster& cluster, const std::string& uid, const model::Endpoint& endpoint) const;
  /// Adds the endpoints of a pod, with what their memberships shall be.
  void add_changes(const Cluster& cluster, const std::string& uid, Changes& out) const;
  void apply(const Changes& changes, TimePoint now);
  /// Returns the memberships that a record can hold, in the order in which it holds them.
  model::Memberships usable(std::vector<model::Membership> all, const std::string& uid, TimePoint now);
  void note_left_out(const std::string& of, std::size_t count, const std::string& reason, TimePoint now);

  catalog::Catalog& catalog_;
  std::function<void()> changed_;
  std::map<std::string, Cluster> clusters_;  // by name, in lower case
  std::uint64_t left_out_ = 0;
  log::Ration lines_{"memberships"};
};

}  // namespace meshdns::federation
