#include "dnsd/federation/node_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/model/limits.h"
#include "common/model/named.h"

namespace meshdns::federation {
namespace {

using catalog::Refusal;

Refusal refusal(const std::string& key, std::string field, std::string reason,
                Refusal::Kind kind = Refusal::Kind::NotAllowed) {
  return {key, std::move(field), std::move(reason), false, true, kind};
}

Refusal over_quota(const std::string& key, std::string field, std::size_t most) {
  return refusal(key, std::move(field),
                 fmt::format("the node may have {} (rule node-quota; nodeQuota of its Cluster)", most),
                 Refusal::Kind::OverQuota);
}

/// Returns why an endpoint may not be listed, and which field says it; nothing = it may.
std::optional<Refusal> forbidden(const model::Node& node, const model::Endpoint& endpoint,
                                 const identity::NodeRights& rights) {
  if (const auto listed = rights.list(endpoint.namespace_, endpoint.service); !listed) {
    return refusal(endpoint.key, "service", listed.error().message());
  }
  for (std::size_t i = 0; i < endpoint.addresses.size(); ++i) {
    const auto answered = rights.answer(endpoint.addresses[i], node.addresses, node.prefixes);
    if (!answered) return refusal(endpoint.key, fmt::format("addresses[{}]", i), answered.error().message());
  }
  return std::nullopt;
}

}  // namespace

NodeRules::Rules NodeRules::read(const std::string& cluster) const {
  identity::AgentRules out;
  out.loopback = catalog_.loopback();
  out.identities = identities_;
  if (const model::Cluster* object = model::find_named(catalog_.records().clusters, cluster)) {
    out.rows = object->agents;
    out.prefixes = object->allowed_prefixes;
    out.quota = object->node_quota;
  }
  return std::make_shared<const identity::AgentRules>(std::move(out));
}

void NodeRules::all_due(const std::string& cluster) {
  for (const auto& [key, node] : catalog_.records().nodes) {
    if (node.locality.cluster == cluster) due_.insert(key);
  }
}

void NodeRules::refresh() {
  const std::uint64_t generation = catalog_.generation_of(catalog::RecordType::Cluster);
  if (std::exchange(generation_, generation) == generation) return;
  for (auto& [cluster, rules] : rules_) {
    Rules now = read(cluster);
    if (*now == *rules) continue;
    rules = std::move(now);
    all_due(cluster);
  }
}

const NodeRules::Rules& NodeRules::rules_of(const std::string& cluster) {
  refresh();
  const auto [at, added] = rules_.try_emplace(cluster);
  if (added) {
    at->second = read(cluster);
    // nodes from the store may be of a time when other rules held
    if (!at->second->free()) all_due(cluster);
  }
  return at->second;
}

identity::NodeRights NodeRules::rights_of(const model::Node& node) {
  return {rules_of(node.locality.cluster), node.locality.node};
}

void NodeRules::learn_claims() {
  if (std::exchange(learned_, true)) return;
  for (const auto& [key, node] : catalog_.records().nodes) claims_.put(node);
}

template <class Place>
std::optional<Error> NodeRules::taken(const model::Node& node, const Place& place) const {
  const std::string holder = claims_.holder(node.key, place);
  if (holder.empty()) return std::nullopt;
  return Error(Code::PermissionDenied,
               fmt::format("{}: {} has it, or a part of it, already (rule claimed)", place.text(), holder));
}

template <class Place>
void NodeRules::permit_each(const model::Node& node, const identity::NodeRights& rights, std::size_t most,
                            const char* field, std::vector<Place>& places, std::vector<Refusal>& out) {
  const bool is_bounded = rules_of(node.locality.cluster)->prefixes.has_value();
  std::vector<Place> kept;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::string name = fmt::format("{}[{}]", field, i);
    if (kept.size() == most) {
      out.push_back(over_quota(node.key, name, most));
    } else if (const auto claimed = rights.claim(places[i]); !claimed) {
      out.push_back(refusal(node.key, name, claimed.error().message()));
    } else if (const auto other = is_bounded ? std::nullopt : taken(node, places[i])) {
      out.push_back(refusal(node.key, name, other->message()));
    } else {
      kept.push_back(places[i]);
    }
  }
  places = std::move(kept);
}

std::vector<Refusal> NodeRules::permit(model::Node& node) {
  const auto rights = rights_of(node);
  std::vector<Refusal> out;
  if (rights.free()) return out;
  const auto quota = rights.quota().value_or(
      model::NodeQuota{model::kMostNodeEndpoints, model::kMostPrefixes, model::kMostAddresses});
  if (identities_) learn_claims();
  permit_each(node, rights, quota.addresses, "addresses", node.addresses, out);
  permit_each(node, rights, quota.prefixes, "prefixes", node.prefixes, out);
  if (!identities_) return out;
  claims_.put(node);
  for (const IpAddress& address : node.addresses) due_.merge(claims_.covering(node.key, address));
  return out;
}

std::vector<Refusal> NodeRules::permit(const model::Node& node, std::vector<model::Endpoint>& endpoints,
                                       std::size_t staying) {
  const auto rights = rights_of(node);
  std::vector<Refusal> out;
  if (rights.free()) return out;
  const auto quota = rights.quota();
  const std::size_t most = quota ? quota->endpoints - std::min(quota->endpoints, staying) : endpoints.size();
  std::size_t taken = 0;
  std::erase_if(endpoints, [&](const model::Endpoint& endpoint) {
    auto refused = forbidden(node, endpoint, rights);
    if (!refused && taken == most) refused = over_quota(endpoint.key, "", quota->endpoints);
    if (!refused) {
      ++taken;
      return false;
    }
    out.push_back(*std::move(refused));
    return true;
  });
  return out;
}

void NodeRules::forget(const std::string& node) {
  claims_.erase(node);
  due_.erase(node);
}

std::vector<std::string> NodeRules::due(std::size_t slice) {
  refresh();
  if (!std::exchange(began_, true)) {
    for (const auto& [key, node] : catalog_.records().nodes) rules_of(node.locality.cluster);
  }
  std::vector<std::string> out;
  std::size_t endpoints = 0;
  while (!due_.empty() && (out.empty() || endpoints < slice)) {
    out.push_back(due_.extract(due_.begin()).value());
    endpoints += catalog_.endpoints_of(out.back()) + 1;
  }
  return out;
}

}  // namespace meshdns::federation
