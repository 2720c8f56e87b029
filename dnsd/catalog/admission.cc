#include <algorithm>
#include <utility>

#include "common/model/limits.h"
#include "dnsd/catalog/catalog.h"

// The part of Catalog that decides which endpoints of a report are taken. Each record is checked by itself, and against
// the node's share.

namespace meshdns::catalog {

std::optional<Refusal> Catalog::counted(std::optional<Refusal> refusal) {
  if (refusal) ++refused_records_;
  return refusal;
}

void Catalog::count_use(const model::Endpoint& endpoint, bool add) {
  const auto at = uses_.try_emplace(endpoint.node).first;
  NodeUse& use = at->second;
  if (add) {
    ++use.endpoints;
    use.bytes += text_bytes(endpoint);
    return;
  }
  use.bytes -= text_bytes(endpoint);
  if (--use.endpoints == 0) uses_.erase(at);
}

Catalog::NodeUse Catalog::use_of(const std::string& node) const {
  if (!frozen_) {
    const auto known = uses_.find(node);
    return known == uses_.end() ? NodeUse{} : known->second;
  }
  NodeUse out;
  for (const std::string& key : keys_of(node)) {
    ++out.endpoints;
    out.bytes += text_bytes(*latest_endpoint(key));
  }
  return out;
}

std::optional<Refusal> Catalog::refusal_of(const std::string& node, const model::Endpoint& endpoint, NodeUse& use,
                                           TimePoint now) {
  // a node may not touch another node's endpoint, so not even the health of a kept version is taken
  if (endpoint.node != node || !endpoint.key.starts_with(node + "/")) {
    return Refusal{endpoint.key, "key", in_quotes(endpoint.key) + " is no key of node " + node};
  }
  if (auto refusal = check(endpoint, loopback_)) {
    refusal->unwatched = !keep_watched(endpoint, now);
    return refusal;
  }
  const model::Endpoint* known = latest_endpoint(endpoint.key);
  if (known == nullptr && !has_room()) {
    note_refused_for_room();
    return Refusal{endpoint.key, "", "no room: there are " + std::to_string(size()) + " records", true, false};
  }
  NodeUse after = use;
  if (known == nullptr) {
    ++after.endpoints;
  } else {
    after.bytes -= std::min(after.bytes, text_bytes(*known));
  }
  after.bytes += text_bytes(endpoint);
  const bool too_many = after.endpoints > model::kMostNodeEndpoints && after.endpoints > use.endpoints;
  const bool too_large = after.bytes > model::kMostNodeBytes && after.bytes > use.bytes;
  if (too_many || too_large) {
    const bool unwatched = !keep_watched(endpoint, now);
    std::string reason =
        too_many ? "the node has " + std::to_string(model::kMostNodeEndpoints) + " endpoints already"
                 : "the node's endpoints have " + std::to_string(model::kMostNodeBytes >> 20) + " MiB of text already";
    return Refusal{endpoint.key, "", std::move(reason), false, unwatched};
  }
  use = after;
  return std::nullopt;
}

std::vector<Refusal> Catalog::put_endpoints(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                            TimePoint now) {
  std::vector<Refusal> refusals;
  NodeUse use = use_of(node);
  for (const model::Endpoint& endpoint : endpoints) {
    if (auto refusal = counted(refusal_of(node, endpoint, use, now))) {
      refusals.push_back(std::move(*refusal));
    } else {
      put_endpoint(endpoint, now);
    }
  }
  return refusals;
}

}  // namespace meshdns::catalog
