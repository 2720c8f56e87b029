#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/named.h"
#include "common/model/records.h"
#include "common/net/prefix.h"

namespace meshdns::answers {

/// Who says where the clients of a prefix are.
struct Claim {
  model::Locality place;
  std::string reason;       // "by node prefix 10.0.0.0/24 (eu1-n1)"
  bool configured = false;  // by a Cluster object
  bool heard = true;        // the node that reports it is not silent
};

/// The claims of one prefix, one for each cluster, by cluster.
using Claims = std::vector<Claim>;
using ClientClaims = std::map<Prefix, Claims>;

/// Visits the prefixes that nodes report and may report: those of their clients, and their own addresses.
template <class Visit>
void for_node_prefixes(const model::Records& records, Visit visit);

// How it works. The longest prefix that holds a client's address places it, and a configured claim beats reported ones
// of the same prefix. In one cluster a prefix has one owner: a heard node before a silent one, then the one with the
// newer session, because an address that moved to another machine is told by that one last. Clusters, however, may use
// the same addresses (kubeadm, kind and k3s give every cluster the same pod network), so their claims all stay, and
// who is asked decides: its own cluster has it; else the only one that is heard; else the cluster of the next shorter
// configured prefix; else nobody, and the client is only as far as all claims agree. Nothing depends on the order of
// the records. source: docs/design.md section 3

/// Collects who claims which prefix. Of claims that agree about everything but the node or so, what they agree in
/// stays.
ClientClaims client_claims(const model::Records& records);

/// Where the clients of a prefix are for who is asked.
struct Choice {
  model::Locality place;
  std::string reason;
  bool is_agreed = false;  // several clusters claim it, and the place is what they agree in
};
/// claims:     at least one
/// cluster:    the one that is asked; empty = none
/// configured: the claims of the next shorter configured prefix; null = there is none
Choice choose(const Claims& claims, const std::string& cluster, const Claims* configured);

/// "prefix 10.244.0.0/24 is claimed by eu-1 and us-1"
std::string contested_text(const Prefix& prefix, const Claims& claims);

template <class Visit>
void for_node_prefixes(const model::Records& records, Visit visit) {
  const auto may_report = [&](const model::Node& node, const Prefix& prefix) {
    const model::Cluster* cluster = model::find_named(records.clusters, node.locality.cluster);
    if (cluster == nullptr || !cluster->allowed_prefixes) return true;
    for (const Prefix& allowed : *cluster->allowed_prefixes) {
      if (allowed.contains(prefix)) return true;
    }
    return false;
  };
  for (const auto& [key, node] : records.nodes) {
    for (const Prefix& prefix : node.prefixes) {
      if (may_report(node, prefix)) visit(node, prefix);
    }
    for (const IpAddress& address : node.addresses) {
      if (may_report(node, Prefix::host(address))) visit(node, Prefix::host(address));
    }
  }
}

}  // namespace meshdns::answers
