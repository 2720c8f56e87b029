#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/model/endpoint.h"

namespace meshdns::federation {

/// Knows which node has claimed an address or a prefix first, so that no other node takes it away. Used by NodeRules.
///
/// How it works: two claims collide if one node's clients would be placed at the other. An address belongs to the node
/// that claimed it first, for as long as that node is heard (NodeRules). A prefix must not overlap the prefix of
/// another node, or cover another node's address; when two nodes meet like this, an address wins over a prefix
/// whichever came first, since a machine knows its own address, while a wide prefix would shut out every node that
/// comes later.
class NodeClaims {
 public:
  /// Notes what a node claims, instead of what it claimed before. What another node has is left out.
  /// returns: whether something that the node had is free now
  bool put(const model::Node& node);
  bool erase(const std::string& node);
  /// Erases the nodes for which gone(node) is true.
  bool erase_if(const std::function<bool(const std::string& node)>& gone);
  /// Whether the node has this address.
  bool has(const std::string& node, const IpAddress& address) const;

  /// Returns another node that has the address; empty = none has.
  std::string holder(const std::string& node, const IpAddress& address) const;
  /// Returns another node that has a prefix which overlaps this one, or an address in it; empty = none has.
  std::string holder(const std::string& node, const Prefix& prefix) const;
  /// Returns the other nodes with a prefix that covers the address.
  std::set<std::string> covering(const std::string& node, const IpAddress& address) const;

 private:
  /// Calls `visit` with the holder of each prefix that contains this one or is equal.
  template <class Visit>
  void each_containing(const Prefix& prefix, Visit visit) const;

  struct Claimed {
    std::vector<IpAddress> addresses;
    std::vector<Prefix> prefixes;
  };
  void forget(const Claimed& claimed);

  std::map<IpAddress, std::string> addresses_;
  std::map<Prefix, std::string> prefixes_;
  std::unordered_map<std::string, Claimed> by_node_;  // what addresses_ and prefixes_ have of each node
};

}  // namespace meshdns::federation
