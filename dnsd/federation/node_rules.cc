#include "dnsd/federation/node_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/text.h"
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

NodeRules::Rules NodeRules::read(const model::Cluster* object) const {
  identity::AgentRules out;
  out.loopback = catalog_.loopback();
  out.identities = identities_;
  if (object != nullptr) {
    out.rows = object->agents;
    out.prefixes = object->allowed_prefixes;
    out.quota = object->node_quota;
  }
  return std::make_shared<const identity::AgentRules>(std::move(out));
}

void NodeRules::all_due(const std::string& cluster) {
  for (const auto& [key, node] : catalog_.records().nodes) {
    if (ascii_lower(node.locality.cluster) == cluster) due_[key] = true;
  }
}

void NodeRules::refresh() {
  const std::uint64_t generation = catalog_.generation_of(catalog::RecordType::Cluster);
  if (std::exchange(generation_, generation) == generation) return;
  const auto& objects = catalog_.records().clusters;
  for (const auto& [name, object] : objects) rules_.try_emplace(ascii_lower(name), read(nullptr));
  for (auto& [cluster, rules] : rules_) {
    Rules now = read(model::find_named(objects, cluster));
    if (*now == *rules) continue;
    rules = std::move(now);
    all_due(cluster);
  }
}

NodeRules::Rules NodeRules::rules_of(const std::string& cluster) {
  refresh();
  const std::string name = ascii_lower(cluster);
  const auto known = rules_.find(name);
  if (known != rules_.end()) return known->second;
  // a cluster without an object; without identities anybody may make up any number of them
  Rules out = read(nullptr);
  if (identities_) rules_.emplace(name, out);
  return out;
}

identity::NodeRights NodeRules::rights_of(const model::Node& node) {
  return {rules_of(node.locality.cluster), node.locality.node};
}

void NodeRules::learn_claims() {
  if (std::exchange(learned_, true)) return;
  for (const auto& [key, node] : catalog_.records().nodes) claims_.put(node);
}

void NodeRules::note_freed(bool freed) {
  if (!freed) return;
  for (const std::string& node : std::exchange(waiting_, {})) due_[node] = true;
}

template <class Place>
std::optional<Error> NodeRules::taken(const model::Node& node, const Place& place) {
  // a silent node gives up everything at once, so each turn has another holder
  for (std::string holder = claims_.holder(node.key, place); !holder.empty();
       holder = claims_.holder(node.key, place)) {
    const model::NodeStatus* status = catalog_.latest_status(holder);
    const bool silent = catalog_.latest_node(holder) == nullptr || (status != nullptr && status->silent);
    if (!silent) {
      waiting_.insert(node.key);
      return Error(Code::PermissionDenied,
                   fmt::format("{}: {} has it, or a part of it, already (rule claimed)", place.text(), holder));
    }
    claims_.erase(holder);
    due_.try_emplace(holder, false);
  }
  return std::nullopt;
}

template <class Place>
void NodeRules::permit_each(const model::Node& node, const identity::NodeRights& rights, const Places& rule,
                            std::vector<Place>& places, std::vector<Refusal>& out) {
  std::vector<Place> kept;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::string field = fmt::format("{}[{}]", rule.field, i);
    if (kept.size() == rule.most) {
      out.push_back(over_quota(node.key, field, rule.most));
    } else if (const auto claimed = rights.claim(places[i]); !claimed) {
      out.push_back(refusal(node.key, field, claimed.error().message()));
    } else if (const auto other = rule.exclusive ? taken(node, places[i]) : std::nullopt) {
      out.push_back(refusal(node.key, field, other->message()));
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
  const auto quota =
      rights.quota().value_or(model::NodeQuota{model::kMostNodeEndpoints, model::kMostPrefixes, model::kMostAddresses});
  if (identities_) learn_claims();
  const bool overlap = !identities_ || rules_of(node.locality.cluster)->prefixes.has_value();
  permit_each(node, rights, {"addresses", quota.addresses, identities_}, node.addresses, out);
  permit_each(node, rights, {"prefixes", quota.prefixes, !overlap}, node.prefixes, out);
  if (!identities_) return out;
  for (const IpAddress& address : node.addresses) {
    if (overlap || claims_.has(node.key, address)) continue;
    for (const std::string& other : claims_.covering(node.key, address)) due_.try_emplace(other, false);
  }
  note_freed(claims_.put(node));
  return out;
}

std::vector<Refusal> NodeRules::permit(const model::Node& node, std::vector<model::Endpoint>& endpoints,
                                       std::size_t staying) {
  const auto rights = rights_of(node);
  std::vector<Refusal> out;
  if (rights.free()) return out;
  const auto quota = rights.quota();
  const auto is_known = [&](const model::Endpoint& each) { return catalog_.latest_endpoint(each.key) != nullptr; };
  std::size_t known = quota ? quota->endpoints - std::min(quota->endpoints, staying) : endpoints.size();
  std::size_t added = known - std::min<std::size_t>(known, std::ranges::count_if(endpoints, is_known));
  // pods that name no service must not take the room of those that do
  std::stable_partition(endpoints.begin(), endpoints.end(),
                        [](const model::Endpoint& each) { return !each.service.empty(); });
  std::erase_if(endpoints, [&](const model::Endpoint& endpoint) {
    std::size_t& room = is_known(endpoint) ? known : added;
    auto refused =
        room == 0 ? std::optional(over_quota(endpoint.key, "", quota->endpoints)) : forbidden(node, endpoint, rights);
    if (!refused) {
      --room;
      return false;
    }
    out.push_back(*std::move(refused));
    return true;
  });
  return out;
}

void NodeRules::forget(const std::string& node) {
  note_freed(claims_.erase(node));
  due_.erase(node);
  waiting_.erase(node);
}

void NodeRules::forget_if(const std::function<bool(const std::string& node)>& gone) {
  const bool freed = claims_.erase_if(gone);
  std::erase_if(due_, [&](const auto& entry) { return gone(entry.first); });
  std::erase_if(waiting_, gone);
  note_freed(freed);
}

std::vector<NodeRules::Due> NodeRules::due(std::size_t slice) {
  refresh();
  const bool thawed = std::exchange(frozen_, catalog_.frozen()) && !frozen_;
  if (!std::exchange(began_, true) || thawed) {
    // what is there may be of a time when other rules held
    for (const auto& [key, node] : catalog_.records().nodes) {
      if (!rules_of(node.locality.cluster)->free()) due_.try_emplace(key, false);
    }
  }
  std::vector<Due> out;
  std::size_t endpoints = 0;
  while (!due_.empty() && (out.empty() || endpoints < slice)) {
    const auto next = due_.extract(due_.begin());
    out.push_back({next.key(), next.mapped()});
    endpoints += catalog_.endpoints_of(next.key()) + 1;
  }
  return out;
}

}  // namespace meshdns::federation
