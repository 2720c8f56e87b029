#include "dnsd/app/record_counts.h"

#include <utility>

#include "common/model/lookup.h"
#include "dnsd/topology/plan.h"

namespace meshdns::dnsd::app {

RecordCounts::RecordCounts(catalog::Catalog& catalog, topology::Planner& next) : catalog_(catalog), next_(next) {
  const model::Records& records = catalog_.records();
  for (const auto& [key, endpoint] : records.endpoints) ++mark(endpoint.node).endpoints;
  for (const auto& [key, node] : records.nodes) {
    mark(key).cluster = node.locality.cluster;
    count_cluster(node.locality.cluster, 1);
  }
  for (const auto& [key, status] : records.statuses) {
    OfNode& entry = mark(key);
    entry.silent = status.silent;
    silent_ += status.silent ? 1 : 0;
    entry.unread = !status.problem.empty();
    unread_ += entry.unread ? 1 : 0;
  }
  catalog_.observe(this);
}

RecordCounts::OfNode& RecordCounts::mark(const std::string& node) {
  OfNode& entry = nodes_[node];
  if (!std::exchange(entry.marked, true)) marked_.push_back(node);
  return entry;
}

void RecordCounts::mark_rivals(const model::Endpoint& endpoint) {
  next_.claims().for_rivals(endpoint, [this](const model::Endpoint& rival) { mark(rival.node); });
}

void RecordCounts::mark_rivals_of(const std::string& node) {
  const auto& endpoints = catalog_.records().endpoints;
  const std::string prefix = node + "/";
  for (auto at = endpoints.lower_bound(prefix); at != endpoints.end() && at->first.starts_with(prefix); ++at) {
    mark_rivals(at->second);
  }
  next_.claims().for_endpoints_at(node, [this](const model::Endpoint& other) { mark(other.node); });
}

void RecordCounts::mark_all() {
  for (auto& [node, entry] : nodes_) {
    if (!std::exchange(entry.marked, true)) marked_.push_back(node);
  }
}

void RecordCounts::count_cluster(const std::string& cluster, int by) {
  if (cluster.empty()) return;
  std::uint32_t& count = of_cluster_[cluster];
  count += static_cast<std::uint32_t>(by);
  if (count == 0) of_cluster_.erase(cluster);
}

std::uint32_t RecordCounts::endpoints_of(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? 0 : found->second.endpoints;
}

std::uint32_t RecordCounts::nodes_of(const std::string& cluster) const {
  const auto found = of_cluster_.find(cluster);
  return found == of_cluster_.end() ? 0 : found->second;
}

RecordCounts::Round RecordCounts::round() const {
  return rounds_ + (todo_.empty() ? 0 : 1) + (marked_.empty() ? 0 : 1);
}

bool RecordCounts::settle(Round round, Slice& slice) {
  while (rounds_ < round) {
    if (todo_.empty()) {
      todo_ = std::exchange(marked_, {});
      for (const std::string& node : todo_) nodes_.at(node).marked = false;
    }
    while (!todo_.empty()) {
      if (!count(todo_.back(), slice)) return false;
      finish(todo_.back());
      todo_.pop_back();
    }
    ++rounds_;
  }
  return true;
}

bool RecordCounts::count(const std::string& node, Slice& slice) {
  const model::Records& records = catalog_.records();
  const topology::PlanContext context{records, next_.claims(), records.overrides, TimePoint{}};
  const std::string prefix = node + "/";
  if (after_.empty()) {
    if (!slice.take()) return false;
    after_ = prefix;
  }
  for (auto at = records.endpoints.upper_bound(after_); at != records.endpoints.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    if (!slice.take()) return false;
    ++counting_[static_cast<std::size_t>(topology::standing_of(context, at->second))];
    counting_unwatched_ += at->second.unwatched ? 1 : 0;
    after_ = at->first;
  }
  return true;
}

void RecordCounts::finish(const std::string& node) {
  after_.clear();
  const auto found = nodes_.find(node);
  for (std::size_t i = 0; i < totals_.size(); ++i) totals_[i] += counting_[i] - found->second.counted[i];
  found->second.counted = std::exchange(counting_, {});
  unwatched_total_ += counting_unwatched_ - found->second.unwatched;
  found->second.unwatched = std::exchange(counting_unwatched_, 0);
  const OfNode& entry = found->second;
  // an entry that counts nothing is of a node that is gone; kept, such entries would pile up over a rollout
  const bool known = !entry.cluster.empty() || entry.silent || entry.unread || entry.endpoints > 0 || entry.marked;
  if (!known) nodes_.erase(found);
}

void RecordCounts::endpoint_entered(const model::Endpoint& endpoint) {
  ++mark(endpoint.node).endpoints;
  mark_rivals(endpoint);
  next_.endpoint_entered(endpoint);
}

void RecordCounts::endpoint_updated(const model::Endpoint& endpoint) {
  mark(endpoint.node);
  mark_rivals(endpoint);
  next_.endpoint_updated(endpoint);
}

void RecordCounts::endpoint_leaves(const model::Endpoint& endpoint) {
  --mark(endpoint.node).endpoints;
  mark_rivals(endpoint);
  next_.endpoint_leaves(endpoint);
}

void RecordCounts::node_changed(const std::string& node) {
  OfNode& entry = mark(node);
  const auto found = catalog_.records().nodes.find(node);
  const std::string cluster = found == catalog_.records().nodes.end() ? "" : found->second.locality.cluster;
  count_cluster(std::exchange(entry.cluster, cluster), -1);
  count_cluster(cluster, 1);
  ++names_version_;
  mark_rivals_of(node);
  next_.node_changed(node);
  mark_rivals_of(node);  // again: `next_` has the node's new addresses only now, and with them other rivals
}

void RecordCounts::node_status_changed(const std::string& node) {
  const model::NodeStatus* status = model::status_of(catalog_.records(), node);
  const bool silent = status != nullptr && status->silent;
  const bool unread = status != nullptr && !status->problem.empty();
  OfNode& entry = mark(node);
  silent_ += (silent ? 1 : 0) - (std::exchange(entry.silent, silent) ? 1 : 0);
  unread_ += (unread ? 1 : 0) - (std::exchange(entry.unread, unread) ? 1 : 0);
  mark_rivals_of(node);
  next_.node_status_changed(node);
}

void RecordCounts::destination_changed(const std::string& key) {
  ++names_version_;
  next_.destination_changed(key);
}

void RecordCounts::cluster_changed(const std::string& name) {
  ++names_version_;
  // The nodes of the cluster may be in another zone now, and an override may have that zone as its target.
  if (!catalog_.records().overrides.empty()) mark_all();
  next_.cluster_changed(name);
}

void RecordCounts::override_changed(const model::Override& override) {
  if (override.action != model::Action::Freeze) mark_all();
  next_.override_changed(override);
}

}  // namespace meshdns::dnsd::app
