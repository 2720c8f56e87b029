#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/net/host_address.h"
#include "common/net/ip_address.h"
#include "common/net/prefix.h"

namespace meshdns::identity {

/// A row of `Cluster.spec.agents`: the nodes it names may list services of these names in these namespaces. In each
/// pattern a `*` stands for any characters, also for none. An empty list of namespaces or services means all of them.
struct AgentRow {
  std::vector<std::string> nodes, namespaces, services;
};

/// The most of each that one node may have: `Cluster.spec.nodeQuota`.
struct NodeQuota {
  std::size_t endpoints = 1000;
  std::size_t prefixes = 16;
  std::size_t addresses = 16;
};

/// What a Cluster object says about its agents.
struct AgentRules {
  std::vector<AgentRow> rows;                   // empty = every node may list every service
  std::optional<std::vector<Prefix>> prefixes;  // allowedPrefixes
  NodeQuota quota;
  Loopback loopback = Loopback::Refused;  // Allowed only if the whole mesh is on one machine
};

/// Decides which of the things that a node reports may count. It knows one node and the rules of its cluster; it does
/// not know what other nodes claim.
class NodeRights {
 public:
  /// node: its name, without the cluster
  NodeRights(AgentRules rules, std::string node);

  const NodeQuota& quota() const { return rules_.quota; }
  /// Whether the node may say that its clients are in a prefix. Without allowedPrefixes it may not if the prefix is
  /// wider than /8 (IPv4) or /32 (IPv6), or for loopback, link-local, multicast or documentation.
  /// errors: PermissionDenied, with the name of the rule
  Result<void> claim(const Prefix& prefix) const;
  /// Whether the node may have an address: inside allowedPrefixes where they are set, and an address of one host.
  /// errors: as for a prefix
  Result<void> claim(const IpAddress& address) const;
  /// Whether the node may list endpoints of a service. The first row that names the node decides; a node that no row
  /// names may list none.
  /// errors: as for a prefix
  Result<void> list(std::string_view namespace_, std::string_view service) const;
  /// Whether an endpoint of the node may have an address: one of the node's own, or inside one of its prefixes.
  /// own, prefixes: what the node claims and may claim
  /// errors:        as for a prefix
  Result<void> answer(const IpAddress& address, const std::vector<IpAddress>& own,
                      const std::vector<Prefix>& prefixes) const;

 private:
  AgentRules rules_;
  std::optional<std::size_t> row_;  // of rules_.rows, the first that names the node; nothing = none
  std::string node_;
};

/// Whether a text matches a pattern in which `*` stands for any characters, also for none. Letters of either case are
/// equal, as in names of services.
bool glob(std::string_view pattern, std::string_view text);

}  // namespace meshdns::identity
