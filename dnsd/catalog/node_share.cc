#include "dnsd/catalog/node_share.h"

#include <algorithm>

#include "common/model/limits.h"

namespace meshdns::catalog {

void NodeUse::add(const model::Endpoint& endpoint) {
  ++endpoints;
  bytes += text_bytes(endpoint);
}

void NodeUse::remove(const model::Endpoint& endpoint) {
  --endpoints;
  bytes -= std::min(bytes, text_bytes(endpoint));
}

std::optional<std::string> share_problem(const NodeUse& before, const NodeUse& after) {
  if (after.endpoints > model::kMostNodeEndpoints && after.endpoints > before.endpoints) {
    return "the node has " + std::to_string(model::kMostNodeEndpoints) + " endpoints already";
  }
  if (after.bytes > model::kMostNodeBytes && after.bytes > before.bytes) {
    return "the node's endpoints have " + std::to_string(model::kMostNodeBytes >> 20) + " MiB of text already";
  }
  return std::nullopt;
}

void NodeUses::remove(const model::Endpoint& endpoint) {
  const auto at = uses_.try_emplace(endpoint.node).first;
  at->second.remove(endpoint);
  if (at->second.endpoints == 0) uses_.erase(at);
}

NodeUse NodeUses::of(const std::string& node) const {
  const auto known = uses_.find(node);
  return known == uses_.end() ? NodeUse{} : known->second;
}

}  // namespace meshdns::catalog
