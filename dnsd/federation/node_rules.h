#pragma once

#include <cstddef>
#include <cstdint>
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
/// How it works: the rules of a cluster are read from its Cluster object when one of them has changed. Then every node
/// has to be looked at again; changed() says so, and due() gives the nodes in slices, because a mesh may have a million
/// endpoints. A node is also due when another node turns out to have an address in its prefix (NodeClaims).
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
  /// Removes the endpoints that the node may not list.
  /// node:    as permit() has left it
  /// staying: how many endpoints the node has besides these, and keeps
  /// returns: the removed ones
  std::vector<catalog::Refusal> permit(const model::Node& node, std::vector<model::Endpoint>& endpoints,
                                       std::size_t staying);
  /// Whether a rule limits the node's endpoints.
  bool limits(const model::Node& node) { return !rules_of(node.locality.cluster)->free(); }
  /// Drops what a node has claimed.
  void forget(const std::string& node);

  /// Returns the next nodes that have to be looked at again. Costs by the number of nodes when a rule has changed, by
  /// the size of the slice while nodes are due, and nothing otherwise.
  std::vector<std::string> due(std::size_t slice = kSlice);

 private:
  using Rules = std::shared_ptr<const identity::AgentRules>;

  /// Returns the present rules of a cluster.
  const Rules& rules_of(const std::string& cluster);
  Rules read(const std::string& cluster) const;
  /// Reads the rules again if a Cluster object has changed.
  void refresh();
  /// Makes all nodes of a cluster due.
  void all_due(const std::string& cluster);
  identity::NodeRights rights_of(const model::Node& node);
  /// Reads the claims of all nodes that were known before the first one connected.
  void learn_claims();
  /// Returns who has the address or prefix already, as a refusal; nothing = nobody.
  template <class Place>
  std::optional<Error> taken(const model::Node& node, const Place& place) const;
  template <class Place>
  void permit_each(const model::Node& node, const identity::NodeRights& rights, std::size_t most,
                   const char* field, std::vector<Place>& places, std::vector<catalog::Refusal>& out);

  const catalog::Catalog& catalog_;
  const bool identities_;
  std::map<std::string, Rules> rules_;  // by cluster
  std::uint64_t generation_ = 0;        // of the Cluster objects from which the rules were read
  bool began_ = false;                  // the nodes from the store were looked at, or are due
  bool learned_ = false;
  NodeClaims claims_;
  std::set<std::string> due_;
};

}  // namespace meshdns::federation
