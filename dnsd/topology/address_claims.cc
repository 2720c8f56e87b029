#include "dnsd/topology/address_claims.h"

#include <algorithm>
#include <compare>
#include <optional>

#include "common/base/text.h"
#include "common/base/xxh3.h"
#include "common/model/lookup.h"
#include "common/model/memberships.h"
#include "dnsd/topology/matching.h"
#include "dnsd/topology/plan.h"

namespace meshdns::topology {
namespace {

/// Returns whether every machine has the address: 127.0.0.1 and ::1. Other loopback addresses may belong to one node.
bool is_of_every_node(const IpAddress& address) {
  return address.is_loopback() && (!address.is_v4() || address.v4_host_order() == 0x7F000001U);
}

bool has_ports(const model::Endpoint& endpoint) { return first_port(endpoint) != 0; }

bool share_port(const model::Endpoint& a, const model::Endpoint& b) {
  if (!has_ports(a) || !has_ports(b)) return !has_ports(a) && !has_ports(b);
  bool out = false;
  model::for_each_port(a, [&](const model::Port& port) {
    model::for_each_port(b, [&](const model::Port& other) {
      out = out || (port.number == other.number && port.protocol == other.protocol);
    });
  });
  return out;
}

/// The strength of a node's or endpoint's claim.
struct Strength {
  bool heard = false;
  std::uint64_t session = 0;

  friend auto operator<=>(const Strength&, const Strength&) = default;
};

Strength strength_of(const model::Records& records, const std::string& node) {
  const auto known = records.nodes.find(node);
  return {!model::is_silent(records, node), known == records.nodes.end() ? 0 : known->second.session};
}

Strength strength_of(const model::Records& records, const model::Endpoint& endpoint) {
  Strength out = strength_of(records, endpoint.node);
  out.heard = !is_silent(endpoint, model::status_of(records, endpoint.node));
  return out;
}

/// Returns the scope in which addresses are unique: the node's network, or its cluster if it names no network.
std::string scope_of(const model::Records& records, const std::string& node) {
  const model::Locality place = model::locality_of(records, node);
  return ascii_lower(place.network.empty() ? "cluster " + place.cluster : "network " + place.network);
}

}  // namespace

std::uint64_t AddressClaims::hash_of(const IpAddress& address) {
  const auto bytes = address.bytes();
  return xxh3(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

bool AddressClaims::has(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::ranges::find(addresses, address) != addresses.end();
}

bool AddressClaims::has_more_claims(const IpAddress& address, std::size_t number) const {
  auto [at, end] = endpoints_.equal_range(hash_of(address));
  for (; at != end && number > 0; ++at) --number;
  return at != end;
}

void AddressClaims::endpoint_entered(const model::Endpoint& endpoint) {
  for (const IpAddress& address : endpoint.addresses) endpoints_.emplace(hash_of(address), &endpoint);
}

void AddressClaims::endpoint_leaves(const model::Endpoint& endpoint) {
  for (const IpAddress& address : endpoint.addresses) {
    const auto [begin, end] = endpoints_.equal_range(hash_of(address));
    const auto own = std::find_if(begin, end, [&](const auto& entry) { return entry.second == &endpoint; });
    if (own != end) endpoints_.erase(own);
  }
}

void AddressClaims::add_node(const std::string& node) {
  const auto found = records_.nodes.find(node);
  if (found == records_.nodes.end()) return;
  NodeClaims& known = known_nodes_[node];
  known = {found->second.addresses, found->second.prefixes};
  for (const IpAddress& address : known.addresses) {
    nodes_.emplace(hash_of(address), node);
    ++prefixes_[Prefix::host(address)];
  }
  for (const Prefix& prefix : known.prefixes) ++prefixes_[prefix];
}

void AddressClaims::remove_node(const std::string& node) {
  const auto known = known_nodes_.find(node);
  if (known == known_nodes_.end()) return;
  const auto drop = [this](const Prefix& prefix) {
    const auto found = prefixes_.find(prefix);
    if (--found->second == 0) prefixes_.erase(found);
  };
  for (const IpAddress& address : known->second.addresses) {
    const auto [begin, end] = nodes_.equal_range(hash_of(address));
    const auto own = std::find_if(begin, end, [&](const auto& entry) { return entry.second == node; });
    if (own != end) nodes_.erase(own);
    drop(Prefix::host(address));
  }
  for (const Prefix& prefix : known->second.prefixes) drop(prefix);
  known_nodes_.erase(known);
}

void AddressClaims::for_endpoints_at(const std::string& node,
                                     const std::function<void(const model::Endpoint&)>& visit) const {
  const auto known = known_nodes_.find(node);
  if (known == known_nodes_.end()) return;
  for (const IpAddress& address : known->second.addresses) {
    for_claims(address, [&](const model::Endpoint& endpoint) {
      if (endpoint.node != node) visit(endpoint);
    });
  }
}

void AddressClaims::node_changed(const std::string& node, const std::function<void(const model::Endpoint&)>& touched) {
  for_endpoints_at(node, touched);
  remove_node(node);
  add_node(node);
  for_endpoints_at(node, touched);
}

bool AddressClaims::shares_prefixes(const std::string& node) const {
  const auto known = known_nodes_.find(node);
  if (known == known_nodes_.end()) return false;
  const auto shared = [this](const Prefix& prefix) { return prefixes_.at(prefix) > 1; };
  return std::ranges::any_of(known->second.prefixes, shared) ||
         std::ranges::any_of(known->second.addresses,
                             [&](const IpAddress& address) { return shared(Prefix::host(address)); });
}

std::string AddressClaims::owner_instead(const model::Endpoint& endpoint, const IpAddress& address) const {
  if (is_of_every_node(address) || has_more_claims(address, kMostClaims)) return "";
  const model::Endpoint* owner = nullptr;
  std::optional<Strength> own;  // looked up only if somebody else claims the address, which is rare
  Strength best;
  for_claims(address, [&](const model::Endpoint& other) {
    if (other.node == endpoint.node || !share_port(endpoint, other)) return;
    if (!own) own = best = strength_of(records_, endpoint);
    // an endpoint that has never passed a check does not take an address from a node that is heard
    if (own->heard && other.health.state == model::HealthState::Pending) return;
    const Strength strength = strength_of(records_, other);
    const bool stronger = best < strength || (owner != nullptr && strength == best && other.key < owner->key);
    if (!stronger || scope_of(records_, endpoint.node) != scope_of(records_, other.node)) return;
    owner = &other;
    best = strength;
  });
  if (owner != nullptr) return owner->node + " (" + services_text(*owner) + ")";
  return is_silent(endpoint, model::status_of(records_, endpoint.node)) ? node_instead(endpoint, address) : "";
}

std::string AddressClaims::node_instead(const model::Endpoint& endpoint, const IpAddress& address) const {
  std::string owner;
  const auto [begin, end] = nodes_.equal_range(hash_of(address));
  for (auto at = begin; at != end; ++at) {
    const std::string& node = at->second;
    const auto known = known_nodes_.find(node);
    if (node == endpoint.node || !has(known->second.addresses, address)) continue;
    if (!strength_of(records_, node).heard) continue;
    if (scope_of(records_, endpoint.node) != scope_of(records_, node)) continue;
    if (owner.empty() || node < owner) owner = node;
  }
  return owner;
}

}  // namespace meshdns::topology
