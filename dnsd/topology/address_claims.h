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
// address, both machines' records name it, until the dead one is forgotten. Who has it follows from the records alone:
// a node that is heard before a silent one, then the newer session. The other endpoint has lost the address: it is not
// answered with it, and its names do not have it. Endpoints of one node, and claims of equal strength, share an address
// as before. Without networks only endpoints of one cluster are compared, because clusters may use the same addresses.
//
// Where more than kMostClaims endpoints claim one address, it is shared by all of them: to compare each with each other
// would cost the square of their number, and one agent can claim as many as it likes.
//
// The index holds a pointer for each address of each endpoint, and for each address of each node. It is kept equal to
// the records by whoever hears of their changes.
// source: docs/design.md section 5, "An address belongs to who is alive"

/// Knows which endpoints and nodes claim the same address, and whose it is. Pure. The records must outlive it.
class AddressClaims {
 public:
  static constexpr std::size_t kMostClaims = 1024;

  explicit AddressClaims(const model::Records& records) : records_(records) {}

  // ---- changes of the records ----

  void endpoint_entered(const model::Endpoint& endpoint);
  /// The endpoint is there still.
  void endpoint_leaves(const model::Endpoint& endpoint);
  /// A node came, changed or went.
  /// touched: is called with the endpoints of others that have an address which the node had or has now
  void node_changed(const std::string& node, const std::function<void(const model::Endpoint&)>& touched);

  // ---- questions ----

  /// Who has an address of an endpoint in its place, "eu-1/n2 (shop/zads)"; empty = the endpoint has it.
  std::string owner_instead(const model::Endpoint& endpoint, const IpAddress& address) const;
  /// Visits the endpoints of other nodes for whom it matters that this one claims its addresses.
  template <class Visit>
  void for_rivals(const model::Endpoint& endpoint, Visit visit) const {
    for (const IpAddress& address : endpoint.addresses) {
      // with one claim more or less than there may be, all the others share the address, or do so no more
      if (has_more_claims(address, kMostClaims + 1)) continue;
      for_claims(address, [&](const model::Endpoint& other) {
        if (other.node != endpoint.node) visit(other);
      });
    }
  }
  /// Visits the endpoints that claim an address of the node, except its own.
  void for_endpoints_at(const std::string& node, const std::function<void(const model::Endpoint&)>& visit) const;
  /// Whether another node claims a prefix or address of this one, as the place of clients.
  bool shares_prefixes(const std::string& node) const;

 private:
  struct NodeClaims {
    std::vector<IpAddress> addresses;
    std::vector<Prefix> prefixes;
  };

  static std::uint64_t hash_of(const IpAddress& address);
  /// Whether more endpoints than so many claim an address; costs no more than the number.
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
  std::unordered_multimap<std::uint64_t, const model::Endpoint*> endpoints_;  // by the hash of an address
  std::unordered_multimap<std::uint64_t, std::string> nodes_;                 // the same
  std::unordered_map<std::string, NodeClaims> known_nodes_;                   // as they were told last
  std::map<Prefix, std::uint32_t> prefixes_;  // how many nodes claim each, their own addresses included
};

}  // namespace meshdns::topology
