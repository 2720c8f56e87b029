#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/identity/node_rights.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/node_claims.h"

namespace meshdns::federation {

/// Applies the rules about what a node may report: identity::NodeRights, the quotas, and that no node takes another
/// node's addresses and clients. Used by AgentReports for what arrives, and for what is there when a rule has changed.
///
/// How it works: the rules of a cluster are read from its Cluster object when one has changed. Then every node of the
/// cluster has to be looked at again; due() gives these nodes in slices, because a mesh may have a million endpoints.
/// Three more events make nodes due:
///
///   an address that is new lies in another node's prefix   the node with the prefix, which must give it up
///   a node gives up an address or a prefix                 the nodes that were refused for the sake of another's claim
///   a freeze ends                                          all nodes, because held changes have passed by the rules
///
/// Inside `allowedPrefixes` prefixes may overlap, as the operator has allowed, but an address has one node everywhere.
/// A silent node gives its claims up to a node that is heard.
/// thread: control
class NodeRules {
 public:
  /// The most endpoints of due nodes in one slice, as long as one node has no more.
  static constexpr std::size_t kSlice = 5000;

  /// identities: certificates say who a node is. Without them only what the Cluster object says is a rule, because
  ///             anybody could take another name
  /// catalog:    must outlive this
  NodeRules(const catalog::Catalog& catalog, bool identities) : catalog_(catalog), identities_(identities) {}

  /// Removes the addresses and prefixes that the node may not claim, and notes the others as claimed.
  /// returns: the removed ones; the field is "addresses[0]" or "prefixes[0]"
  std::vector<catalog::Refusal> permit(model::Node& node);
  /// Removes the endpoints that the node may not list. If there are more than the quota, those that are known stay.
  /// node:    as permit() has left it
  /// staying: how many endpoints the node has besides these, and keeps
  /// returns: the removed ones
  std::vector<catalog::Refusal> permit(const model::Node& node, std::vector<model::Endpoint>& endpoints,
                                       std::size_t staying);
  /// Whether a rule limits the node's endpoints.
  bool limits(const model::Node& node) { return !rules_of(node.locality.cluster)->free(); }
  /// Drops what a node has claimed.
  void forget(const std::string& node);
  void forget_if(const std::function<bool(const std::string& node)>& gone);

  /// A node that has to be looked at again.
  struct Due {
    std::string node;
    bool may_gain = false;  // something that it was refused may be allowed now
  };
  /// Returns the next nodes that have to be looked at again. Costs by the number of nodes when a rule has changed, by
  /// the size of the slice while nodes are due, and nothing otherwise.
  std::vector<Due> due(std::size_t slice = kSlice);

 private:
  using Rules = std::shared_ptr<const identity::AgentRules>;

  /// Returns the present rules of a cluster.
  Rules rules_of(const std::string& cluster);
  /// object: null = the cluster has none
  Rules read(const model::Cluster* object) const;
  /// Reads the rules again if a Cluster object has changed.
  void refresh();
  /// Makes all nodes of a cluster due.
  void all_due(const std::string& cluster);
  identity::NodeRights rights_of(const model::Node& node);
  /// Reads the claims of all nodes that were known before the first one connected.
  void learn_claims();
  /// Returns who has the address or prefix already, as a refusal; nothing = nobody, or a silent node, which loses it.
  template <class Place>
  std::optional<Error> taken(const model::Node& node, const Place& place);
  struct Places {
    const char* field;
    std::size_t most;
    bool exclusive;  // no other node may have it
  };
  template <class Place>
  void permit_each(const model::Node& node, const identity::NodeRights& rights, const Places& rule,
                   std::vector<Place>& places, std::vector<catalog::Refusal>& out);
  void note_freed(bool freed);

  const catalog::Catalog& catalog_;
  const bool identities_;
  std::map<std::string, Rules> rules_;  // by cluster, in lower case
  std::uint64_t generation_ = 0;        // of the Cluster objects from which the rules were read
  bool began_ = false;                  // the nodes from the store were looked at, or are due
  bool frozen_ = false;
  bool learned_ = false;
  NodeClaims claims_;
  std::set<std::string> waiting_;    // nodes that were refused a claim for the sake of another node
  std::map<std::string, bool> due_;  // Due::may_gain, by node
};

}  // namespace meshdns::federation
