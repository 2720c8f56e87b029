#include "dnsd/federation/stand_ins.h"

#include <algorithm>

#include "common/model/sources.h"

namespace meshdns::federation {
namespace {

constexpr std::size_t kOffered = 1000;  // refused endpoints that are put again at a time

/// Returns the node's key in the key of an endpoint: "cluster/node/...".
std::string node_key_of(const std::string& endpoint) {
  const auto slash = endpoint.find('/');
  return endpoint.substr(0, endpoint.find('/', slash + 1));
}

bool is_pods(const model::Endpoint& endpoint) {
  return endpoint.source == model::kPodSource || endpoint.source == model::kSliceSource;
}

}  // namespace

// ---- by the watcher ----

bool StandIns::is_due(const std::string& node, const std::string& key) const {
  const model::Endpoint* record = catalog_.latest_endpoint(key);
  if (record != nullptr && record->source != model::kSliceSource) return false;
  return !owned_.contains(node);
}

void StandIns::put(const Known& known, catalog::WatchedChange& out) const {
  out.endpoints.push_back(known.endpoint);
  const model::Node* node = catalog_.latest_node(known.node.key);
  if (node == nullptr || (node->session == 0 && *node != known.node)) out.nodes[known.node.key] = known.node;
}

void StandIns::apply(const std::string& cluster, Changes changes, bool first, TimePoint now) {
  catalog::WatchedChange out;
  std::set<std::string> touched;
  for (auto& [key, known] : changes) {
    const std::string node = node_key_of(key);
    if (known) {
      const Known& stored = known_.insert_or_assign(key, *std::move(known)).first->second;
      if (is_due(node, key)) put(stored, out);
      continue;
    }
    known_.erase(key);
    refused_.erase(key);
    const model::Endpoint* record = catalog_.latest_endpoint(key);
    if (record != nullptr && record->source == model::kSliceSource) out.removals.push_back(key);
    touched.insert(node);
  }
  if (first) remove_leftovers(cluster, out);
  for (const std::string& key : out.removals) touched.insert(node_key_of(key));
  remove_empty_nodes(touched, out);
  commit(out, now);
}

void StandIns::remove_leftovers(const std::string& cluster, catalog::WatchedChange& out) const {
  const std::string prefix = cluster + "/";
  const auto& endpoints = catalog_.records().endpoints;
  for (auto at = endpoints.lower_bound(prefix); at != endpoints.end() && at->first.starts_with(prefix); ++at) {
    const model::Endpoint* record = catalog_.latest_endpoint(at->first);
    const bool is_leftover = record != nullptr && record->source == model::kSliceSource && !known_.contains(at->first);
    if (is_leftover) out.removals.push_back(at->first);
  }
}

void StandIns::remove_empty_nodes(const std::set<std::string>& nodes, catalog::WatchedChange& out) const {
  std::map<std::string, std::size_t> left;
  for (const std::string& node : nodes) {
    const model::Node* record = catalog_.latest_node(node);
    if (record != nullptr && record->session == 0) left[node] = catalog_.endpoints_of(node);
  }
  for (const std::string& key : std::set<std::string>(out.removals.begin(), out.removals.end())) {
    const auto at = left.find(node_key_of(key));
    if (at != left.end()) --at->second;
  }
  for (const model::Endpoint& endpoint : out.endpoints) left.erase(endpoint.node);
  for (const auto& [node, endpoints] : left) {
    if (endpoints == 0) out.gone_nodes.push_back(node);
  }
}

void StandIns::commit(const catalog::WatchedChange& change, TimePoint now) {
  for (const model::Endpoint& endpoint : change.endpoints) refused_.erase(endpoint.key);
  for (const catalog::Refusal& refusal : catalog_.apply_watched(change, now)) {
    refused_[refusal.key] = catalog::refusal_text(refusal);
  }
}

void StandIns::offer_room(TimePoint now) {
  if (refused_.empty() || !catalog_.has_room()) return;
  catalog::WatchedChange out;
  for (const auto& [key, why] : refused_) {
    if (out.endpoints.size() >= std::min(kOffered, catalog_.room())) break;
    const auto known = known_.find(key);
    if (known != known_.end() && is_due(node_key_of(key), key)) put(known->second, out);
  }
  commit(out, now);
}

std::string StandIns::refusal() const {
  return refused_.empty() ? "" : refused_.begin()->first + ": " + refused_.begin()->second;
}

// ---- by the agents ----

void StandIns::agent_owns(const std::string& node, TimePoint now) {
  owned_.insert(node);
  catalog::WatchedChange out;
  for (const std::string& key : catalog_.keys_of(node)) {
    if (catalog_.latest_endpoint(key)->source == model::kSliceSource) out.removals.push_back(key);
  }
  if (!out.removals.empty()) commit(out, now);
}

void StandIns::agent_is_silent(const std::string& node, TimePoint now) {
  owned_.erase(node);
  catalog::WatchedChange out;
  const std::string prefix = node + "/";
  for (auto at = known_.lower_bound(prefix); at != known_.end() && at->first.starts_with(prefix); ++at) {
    if (is_due(node, at->first)) put(at->second, out);
  }
  if (!out.endpoints.empty()) commit(out, now);
}

bool StandIns::take_over(const std::string& node, Others others, TimePoint now) {
  const std::string prefix = node + "/";
  const auto first = known_.lower_bound(prefix);
  if (first == known_.end() || !first->first.starts_with(prefix)) return false;
  owned_.erase(node);
  catalog::WatchedChange out;
  if (others != Others::Stay) out.nodes[node] = first->second.node;
  for (auto at = first; at != known_.end() && at->first.starts_with(prefix); ++at) {
    out.endpoints.push_back(at->second.endpoint);
  }
  model::NodeStatus status{.since = now};
  for (const std::string& key : catalog_.keys_of(node)) {
    const model::Endpoint& record = *catalog_.latest_endpoint(key);
    if (known_.contains(key)) continue;
    if (is_pods(record) || others == Others::Go) {
      out.removals.push_back(key);
    } else if (others == Others::Unwatched) {
      status.unwatched = true;
      out.endpoints.push_back(record);
      out.endpoints.back().unwatched = true;
    }
  }
  if (others != Others::Stay) out.statuses[node] = status;
  commit(out, now);
  return true;
}

std::size_t StandIns::owned(const std::string& cluster) const {
  const std::string prefix = cluster + "/";
  return static_cast<std::size_t>(
      std::ranges::count_if(owned_, [&](const std::string& node) { return node.starts_with(prefix); }));
}

const StandIns::Known* StandIns::first_of(const std::string& node) const {
  const std::string prefix = node + "/";
  const auto at = known_.lower_bound(prefix);
  return at == known_.end() || !at->first.starts_with(prefix) ? nullptr : &at->second;
}

void StandIns::place(model::Node& node) const {
  model::Locality& place = node.locality;
  const Known* known = place.region.empty() && place.zone.empty() ? first_of(node.key) : nullptr;
  if (known == nullptr) return;
  place.region = known->node.locality.region;
  place.zone = known->node.locality.zone;
}

bool StandIns::has_source(const std::string& node, std::string_view source) const {
  return std::ranges::any_of(catalog_.keys_of(node),
                             [&](const std::string& key) { return catalog_.latest_endpoint(key)->source == source; });
}

bool StandIns::has_records(const std::string& node) const { return has_source(node, model::kSliceSource); }

bool StandIns::has_agents_records(const std::string& node) const { return has_source(node, model::kPodSource); }

}  // namespace meshdns::federation
