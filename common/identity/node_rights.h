#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/objects.h"
#include "common/net/host_address.h"
#include "common/net/ip_address.h"
#include "common/net/prefix.h"

namespace meshdns::identity {

/// What limits the nodes of one cluster: what its Cluster object says and, where certificates say who a node is, the
/// rules that hold without a word of the operator.
struct AgentRules {
  std::vector<model::AgentRow> rows;            // Cluster.spec.agents; empty = every node may list every service
  std::optional<std::vector<Prefix>> prefixes;  // Cluster.spec.allowedPrefixes
  std::optional<model::NodeQuota> quota;        // Cluster.spec.nodeQuota
  Loopback loopback = Loopback::Refused;        // Allowed only if the whole mesh is on one machine
  bool identities = false;                      // certificates say who a node is: addresses and prefixes are checked

  /// Whether they limit no node.
  bool free() const { return rows.empty() && !quota && !identities; }

  friend bool operator==(const AgentRules&, const AgentRules&) = default;
};

/// Decides which of the things that a node reports may count. It knows one node and the rules of its cluster; it does
/// not know what other nodes claim.
class NodeRights {
 public:
  /// node: its name, without the cluster
  NodeRights(std::shared_ptr<const AgentRules> rules, std::string node);

  /// Whether no rule limits the node.
  bool free() const { return rules_->free(); }
  /// Returns the most that the node may have of each: nodeQuota, or its defaults where there are identities. Nothing =
  /// there is no quota.
  std::optional<model::NodeQuota> quota() const;
  /// Whether the node may say that its clients are in a prefix. With identities, the prefix must be inside
  /// allowedPrefixes; if these are not set, it must not be wider than /8 (IPv4) or /32 (IPv6), nor be for loopback,
  /// link-local, multicast or documentation.
  /// errors: PermissionDenied, with the name of the rule
  Result<void> claim(const Prefix& prefix) const;
  /// Whether the node may have an address. With identities, it must be that of one host, and inside allowedPrefixes; if
  /// these are not set, it must not be for documentation.
  /// errors: as for a prefix
  Result<void> claim(const IpAddress& address) const;
  /// Whether the node may list endpoints of a service, or endpoints without one, for which only the namespace counts. The
  /// first row that names the node decides; a node that no row names may list none.
  /// errors: as for a prefix
  Result<void> list(std::string_view namespace_, std::string_view service) const;
  /// Whether an endpoint of the node may have an address. Without identities it may; otherwise it must be one of the
  /// node's own, or inside one of its prefixes.
  /// own, prefixes: what the node claims and may claim
  /// errors:        as for a prefix
  Result<void> answer(const IpAddress& address, const std::vector<IpAddress>& own,
                      const std::vector<Prefix>& prefixes) const;

 private:
  std::shared_ptr<const AgentRules> rules_;
  std::optional<std::size_t> row_;  // of AgentRules::rows, the first that names the node; nothing = none
  std::string node_;
};

/// Whether a text matches a pattern in which `*` stands for any characters, also for none. Letters of either case are
/// equal, as in names of services.
bool glob(std::string_view pattern, std::string_view text);

}  // namespace meshdns::identity
