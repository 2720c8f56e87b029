#include "dnsd/catalog/forget.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/model/memberships.h"

namespace meshdns::catalog {
namespace {

std::vector<std::string> keys_of(const model::Records& records, const std::string& node) {
  const std::string prefix = node + "/";
  std::vector<std::string> out;
  for (auto at = records.endpoints.lower_bound(prefix); at != records.endpoints.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    out.push_back(at->first);
  }
  return out;
}

/// Forgets the endpoints of a silent node that are not the last ones of one of their services. An endpoint without
/// services goes in any case: hosts that select it by its labels are not known here.
/// returns: nothing = the node is unchanged
std::optional<Forgotten::OfNode> forget_node(RecordTable& table, const std::string& node, TimePoint now,
                                             const MayForget& may_forget) {
  const model::Records& records = table.records();
  const auto keys = keys_of(records, node);
  const auto may_go = [&records](const std::string& key) {
    const model::Endpoint& endpoint = records.endpoints.at(key);
    return std::ranges::all_of(services_of(endpoint),
                               [&](const auto& service) { return records.services.at(service).endpoints > 1; });
  };
  const auto going = static_cast<std::size_t>(std::ranges::count_if(keys, may_go));
  if (going == 0 && !keys.empty()) return std::nullopt;
  if (may_forget && !may_forget(node, going)) return std::nullopt;
  std::size_t kept = keys.size();
  for (const std::string& key : keys) {
    if (!may_go(key)) continue;
    table.erase_endpoint(key, now);
    --kept;
  }
  return Forgotten::OfNode{node, keys.size() - kept, kept, records.statuses.at(node).since};
}

}  // namespace

Forgotten forget(RecordTable& table, Duration forget_after, TimePoint now, const MayForget& may_forget) {
  Forgotten out;
  std::vector<std::string> nodes;
  for (const auto& [node, status] : table.records().statuses) {
    if (status.silent && now - status.since >= forget_after) nodes.push_back(node);
  }
  for (const std::string& node : nodes) {
    auto gone = forget_node(table, node, now, may_forget);
    if (!gone) continue;
    out.nodes.push_back(std::move(*gone));
    if (out.nodes.back().kept > 0) continue;
    table.erase(NodeStatusKind{}, node);
    table.erase(NodeKind{}, node);
  }
  out.services = table.erase_idle_services(forget_after, now);
  return out;
}

}  // namespace meshdns::catalog
