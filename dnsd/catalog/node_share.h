#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/model/endpoint.h"

// The share of the catalog that one node may use. The limits are kMostNodeEndpoints and kMostNodeBytes
// (common/model/limits.h).
namespace meshdns::catalog {

/// The part of its share that a node uses.
struct NodeUse {
  std::size_t endpoints = 0;
  std::size_t bytes = 0;  // text_bytes() of all its endpoints

  void add(const model::Endpoint& endpoint);
  void remove(const model::Endpoint& endpoint);
};

/// Returns why a node may not go from one use to another; nothing = it may. A node that is beyond a limit already may
/// not grow any more.
std::optional<std::string> share_problem(const NodeUse& before, const NodeUse& after);

/// Knows what each node uses. Used by RecordTable. Pure.
class NodeUses {
 public:
  void add(const model::Endpoint& endpoint) { uses_[endpoint.node].add(endpoint); }
  /// requires: the endpoint was added
  void remove(const model::Endpoint& endpoint);
  NodeUse of(const std::string& node) const;

 private:
  std::unordered_map<std::string, NodeUse> uses_;
};

}  // namespace meshdns::catalog
