#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/model/records.h"

namespace meshdns::topology {

// How it works. An address and port of a network belong to one machine. When a machine dies and another one gets its
// address, the records of both name the address until the dead machine is forgotten. The owner follows from the records
// alone: a node that is heard comes before a silent one, then the node with the newer session. The other endpoint has
// lost the address: the address is in none of its answers or names. Endpoints of one node share an address, and so do
// endpoints whose claims are equally strong. Without network names, only endpoints of one cluster are compared, because
// clusters may use the same addresses.
//
// More than kMostClaims endpoints at one address all share it. Comparing each with each other would cost the square of
// their number, and one agent may claim as many as it likes.
//
//   endpoints_  hash of address -> endpoints that name it
//   nodes_      hash of address -> nodes that name it
//   prefixes_   prefix          -> number of nodes that claim it
//
// Nothing is compared in advance: a change updates the index, and owner_instead() compares the few claims of one
// address. Whoever hears of changes of the records keeps the index equal to them.
// source: docs/design.md section 5 (an address belongs to who is alive)

/// Knows which endpoints and nodes claim the same address, and which of them owns it. Belongs to the planner. Pure. The
/// records must outlive this.
class AddressClaims {
 public:
  static constexpr std::size_t kMostClaims = 1024;

  explicit AddressClaims(const model::Records& records) : records_(records) {}

  // ---- changes of the records ----

  /// Adds the claims of an endpoint, which must stay valid until endpoint_leaves().
  void endpoint_entered(const model::Endpoint& endpoint);
  /// Removes the claims of an endpoint.
  /// requires: the endpoint still exists, unchanged
  void endpoint_leaves(const model::Endpoint& endpoint);
  /// Updates the claims of a node that came, changed or went.
  /// touched: called for each endpoint of another node that names an address which the node had or has now
  void node_changed(const std::string& node, const std::function<void(const model::Endpoint&)>& touched);

  // ---- questions ----

  /// Returns who owns an address of an endpoint in its place: "eu-1/n2 (shop/ads)", or just the node "eu-1/n2".
  /// returns: empty = the endpoint owns the address, or shares it
  std::string owner_instead(const model::Endpoint& endpoint, const IpAddress& address) const;
  /// Visits the endpoints of other nodes whose ownership may depend on this endpoint's claims.
  template <class Visit>
  void for_rivals(const model::Endpoint& endpoint, Visit visit) const {
    for (const IpAddress& address : endpoint.addresses) {
      // far above the limit all claims share the address, and one more or less changes nothing
      if (has_more_claims(address, kMostClaims + 1)) continue;
      for_claims(address, [&](const model::Endpoint& other) {
        if (other.node != endpoint.node) visit(other);
      });
    }
  }
  /// Visits the endpoints of other nodes that claim an address of this node.
  void for_endpoints_at(const std::string& node, const std::function<void(const model::Endpoint&)>& visit) const;
  /// Returns whether another node claims a prefix or address of this node as a place of clients.
  bool shares_prefixes(const std::string& node) const;

 private:
  /// The addresses and prefixes that a node claims.
  struct NodeClaims {
    std::vector<IpAddress> addresses;
    std::vector<Prefix> prefixes;
  };

  static std::uint64_t hash_of(const IpAddress& address);
  /// Returns whether more than this number of endpoints claim an address. Costs at most the number.
  bool has_more_claims(const IpAddress& address, std::size_t number) const;
  static bool has(const std::vector<IpAddress>& addresses, const IpAddress& address);
  template <class Visit>
  void for_claims(const IpAddress& address, Visit visit) const {
    const auto [begin, end] = endpoints_.equal_range(hash_of(address));
    for (auto at = begin; at != end; ++at) {
      if (has(at->second->addresses, address)) visit(*at->second);
    }
  }
  std::string node_instead(const model::Endpoint& endpoint, const IpAddress& address) const;
  void add_node(const std::string& node);
  void remove_node(const std::string& node);

  const model::Records& records_;
  std::unordered_multimap<std::uint64_t, const model::Endpoint*> endpoints_;  // by hash of each address
  std::unordered_multimap<std::uint64_t, std::string> nodes_;                 // by hash of each address
  std::unordered_map<std::string, NodeClaims> known_nodes_;                   // as of the last node_changed()
  std::map<Prefix, std::uint32_t> prefixes_;  // how many nodes claim each; a node's own addresses count as prefixes
};

}  // namespace meshdns::topology
