#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/model/record_observer.h"
#include "dnsd/app/slices.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/topology/planner.h"

namespace meshdns::dnsd::app {

/// Keeps the counts over all records that status, metrics and listings show, so that none of them has to walk all
/// records for a count.
///
/// How it works: as an observer of the catalog the counter hears of each change, and passes it on to the next observer.
/// The endpoints of a node and the nodes of a cluster are counted at once. The standing of an endpoint depends on more:
/// its health, its node's status, overrides, and which other endpoints claim its address (its rivals). So a change only
/// marks the endpoint's node and the nodes of its rivals, and settle() counts the marked nodes again, in slices. An
/// override marks all nodes.
///
///   endpoint changes -> node marked -> settle(): its old counts leave the totals, its new ones enter
///
/// A node that changes while it is being counted, between two slices, is marked again.
/// thread: control
class RecordCounts : public model::RecordObserver {
 public:
  /// The number of endpoints in each topology::Standing.
  using Standings = std::array<std::uint32_t, 5>;
  /// The number of a pass over marked nodes.
  using Round = std::uint64_t;

  /// Becomes the catalog's observer for its own lifetime. `catalog` and `next` must outlive it.
  /// next: the catalog's observer until now, which gets it back at the end
  RecordCounts(catalog::Catalog& catalog, topology::Planner& next);
  ~RecordCounts() override { catalog_.observe(&next_); }
  RecordCounts(const RecordCounts&) = delete;
  RecordCounts& operator=(const RecordCounts&) = delete;

  /// Returns the round whose end covers every change so far.
  Round round() const;
  /// Counts marked nodes until `round` is over.
  /// returns: true = the round is over; false = the slice is over
  bool settle(Round round, Slice& slice);
  /// The standings of all endpoints, as of the last settled round.
  const Standings& standings() const { return totals_; }

  std::uint32_t endpoints_of(const std::string& node) const;
  std::uint32_t nodes_of(const std::string& cluster) const;
  /// The number of silent nodes.
  std::uint32_t silent() const { return silent_; }
  /// The number of nodes whose agent cannot read everything that it should.
  std::uint32_t unread() const { return unread_; }
  /// The number of endpoints that no agent checks although their node's agent is heard, as of the last settled round.
  std::uint32_t unwatched() const { return unwatched_total_; }
  /// A number that grows when nodes, clusters or virtual destinations change.
  std::uint64_t names_version() const { return names_version_; }

  void endpoint_entered(const model::Endpoint& endpoint) override;
  void endpoint_updated(const model::Endpoint& endpoint) override;
  void endpoint_leaves(const model::Endpoint& endpoint) override;
  void node_changed(const std::string& node) override;
  void node_status_changed(const std::string& node) override;
  void service_changed(const model::ServiceKey& service) override { next_.service_changed(service); }
  void destination_changed(const std::string& key) override;
  void cluster_changed(const std::string& name) override;
  void cluster_status_changed(const std::string& cluster) override { next_.cluster_status_changed(cluster); }
  void external_name_changed(const std::string& hostname) override { next_.external_name_changed(hostname); }
  void override_changed(const model::Override& override) override;

 private:
  struct OfNode {
    std::uint32_t endpoints = 0;
    Standings counted{};          // the node's share of totals_
    std::uint32_t unwatched = 0;  // the node's share of unwatched_total_
    std::string cluster;          // the cluster in whose count of nodes it is; empty = none
    bool silent = false;
    bool unread = false;
    bool marked = false;  // is in marked_
  };

  OfNode& mark(const std::string& node);
  /// Marks the nodes of endpoints that claim an address of `endpoint`: their standing may change with its.
  void mark_rivals(const model::Endpoint& endpoint);
  void mark_rivals_of(const std::string& node);
  void mark_all();
  void count_cluster(const std::string& cluster, int by);
  /// Counts the endpoints of a node after `after_`.
  /// returns: true = the node is counted
  bool count(const std::string& node, Slice& slice);
  void finish(const std::string& node);

  catalog::Catalog& catalog_;
  topology::Planner& next_;
  std::unordered_map<std::string, OfNode> nodes_;
  std::unordered_map<std::string, std::uint32_t> of_cluster_;
  std::vector<std::string> marked_;  // nodes for the next round
  std::vector<std::string> todo_;    // nodes of this round; the last one is being counted
  std::string after_;                // key of the last endpoint that was counted; empty = the node is not begun
  Standings counting_{};             // of the node that is being counted
  std::uint32_t counting_unwatched_ = 0;
  std::uint32_t unwatched_total_ = 0;
  Standings totals_{};
  Round rounds_ = 0;  // rounds that are over
  std::uint32_t silent_ = 0;
  std::uint32_t unread_ = 0;
  std::uint64_t names_version_ = 1;
};

}  // namespace meshdns::dnsd::app
