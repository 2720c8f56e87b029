#include <algorithm>
#include <utility>

#include "dnsd/catalog/catalog.h"

// The part of Catalog that forgets silent nodes and services without endpoints.

namespace meshdns::catalog {

std::optional<Catalog::Forgotten::OfNode> Catalog::forget_node(const std::string& node, TimePoint now,
                                                               const MayForget& may_forget) {
  const auto keys = keys_of(node);
  const auto may_go = [this](const std::string& key) {
    const model::Endpoint& endpoint = records_.endpoints.at(key);
    return records_.services[{endpoint.namespace_, endpoint.service}].endpoints > 1;
  };
  const auto going = static_cast<std::size_t>(std::ranges::count_if(keys, may_go));
  if (going == 0 && !keys.empty()) return std::nullopt;
  if (may_forget && !may_forget(node, going)) return std::nullopt;
  for (const std::string& key : keys) {
    if (may_go(key)) erase_endpoint(key, now);
  }
  const std::size_t kept = endpoints_of(node);
  return Forgotten::OfNode{node, keys.size() - kept, kept, records_.statuses.at(node).since};
}

Catalog::Forgotten Catalog::forget(Duration forget_after, TimePoint now, const MayForget& may_forget) {
  Forgotten out;
  if (frozen_) return out;
  std::vector<std::string> nodes;
  for (const auto& [node, status] : records_.statuses) {
    if (status.silent && now - status.since >= forget_after) nodes.push_back(node);
  }
  for (const std::string& node : nodes) {
    auto gone = forget_node(node, now, may_forget);
    if (!gone) continue;
    out.nodes.push_back(std::move(*gone));
    if (out.nodes.back().kept > 0) continue;
    records_.statuses.erase(node);
    note(RecordType::NodeStatus, node, true);
    if (records_.nodes.erase(node) > 0) note(RecordType::Node, node, true);
  }
  out.services = forget_services(forget_after, now);
  commit(now);
  return out;
}

std::vector<model::ServiceKey> Catalog::forget_services(Duration forget_after, TimePoint now) {
  std::vector<model::ServiceKey> out;
  std::erase_if(idle_services_, [&](const model::ServiceKey& key) {
    const auto found = records_.services.find(key);
    if (found == records_.services.end() || found->second.endpoints > 0) return true;
    // mirrored records come without that moment: the time counts from the first look
    if (found->second.gone_since == TimePoint{}) found->second.gone_since = now;
    if (now - found->second.gone_since < forget_after) return false;
    records_.services.erase(found);
    note(RecordType::Service, service_key_text(key), true);
    out.push_back(key);
    return true;
  });
  return out;
}

}  // namespace meshdns::catalog
