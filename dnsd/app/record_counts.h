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

namespace meshdns::app {

/// Keeps what status, metrics and listings count over all records, so that nobody walks the records for a count.
///
/// How it works: the catalog tells of each change; the counter passes it on to the next observer. How many endpoints a
/// node has, and nodes a cluster, is counted at once. How endpoints stand depends on health, on the node's status and
/// on overrides, and on who else claims its address: a change marks the endpoint's node and those of its rivals, and
/// settle() counts the marked nodes again, in slices. An override marks all nodes.
///
///   endpoint changes -> node marked -> settle(): its old counts leave the totals, its new ones enter
///
/// The counts of a node are those of one moment for each slice: a node that changes while it is counted is marked
/// again.
/// thread: control
class RecordCounts : public model::RecordObserver {
 public:
  /// By topology::Standing.
  using Standings = std::array<std::uint32_t, 5>;
  /// A point that settle() has to reach.
  using Round = std::uint64_t;

  /// next: who observed the catalog until now. Both must outlive the counter, which is the catalog's observer for its
  /// own lifetime.
  RecordCounts(catalog::Catalog& catalog, topology::Planner& next);
  ~RecordCounts() override { catalog_.observe(&next_); }
  RecordCounts(const RecordCounts&) = delete;
  RecordCounts& operator=(const RecordCounts&) = delete;

  /// The round that covers every change so far.
  Round round() const;
  /// Counts marked nodes.
  /// returns: true = the round is reached, else the slice is over
  bool settle(Round round, Slice& slice);
  /// How all endpoints stand, at the last settled round.
  const Standings& standings() const { return totals_; }

  std::uint32_t endpoints_of(const std::string& node) const;
  std::uint32_t nodes_of(const std::string& cluster) const;
  std::uint32_t silent() const { return silent_; }
  /// Nodes whose agent does not read all that it should.
  std::uint32_t unread() const { return unread_; }
  /// Endpoints that no agent checks though their node's is heard, at the last settled round.
  std::uint32_t unwatched() const { return unwatched_total_; }
  /// Grows when nodes, clusters or virtual destinations change.
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
    Standings counted{};  // in totals_
    std::uint32_t unwatched = 0;
    std::string cluster;  // whose nodes it is counted among; empty = of none
    bool silent = false;
    bool unread = false;
    bool marked = false;
  };

  OfNode& mark(const std::string& node);
  /// Those that claim an address of the endpoint stand otherwise, perhaps.
  void mark_rivals(const model::Endpoint& endpoint);
  void mark_rivals_of(const std::string& node);
  void mark_all();
  void count_cluster(const std::string& cluster, int by);
  /// Counts on from `after_`.
  /// returns: true = the node is counted
  bool count(const std::string& node, Slice& slice);
  void finish(const std::string& node);

  catalog::Catalog& catalog_;
  topology::Planner& next_;
  std::unordered_map<std::string, OfNode> nodes_;
  std::unordered_map<std::string, std::uint32_t> of_cluster_;
  std::vector<std::string> marked_;  // for the next round
  std::vector<std::string> todo_;    // of this round; the last one is being counted
  std::string after_;                // key of the last endpoint that was counted; empty = its node is not begun
  Standings counting_{};             // of the node that is being counted
  std::uint32_t counting_unwatched_ = 0;
  std::uint32_t unwatched_total_ = 0;
  Standings totals_{};
  Round rounds_ = 0;  // that are over
  std::uint32_t silent_ = 0;
  std::uint32_t unread_ = 0;
  std::uint64_t names_version_ = 1;
};

}  // namespace meshdns::app
