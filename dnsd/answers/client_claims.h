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

/// A claim of a cluster: where the clients of a prefix are, and who says so.
struct Claim {
  model::Locality place;
  std::string reason;       // "by node prefix 10.0.0.0/24 (eu1-n1)"
  bool configured = false;  // stated by a Cluster object
  bool heard = true;        // the node that reports the prefix is not silent
};

/// The claims of one prefix: the strongest of each cluster, by cluster.
using Claims = std::vector<Claim>;
/// The claims of all prefixes.
using ClientClaims = std::map<Prefix, Claims>;

/// Visits the prefixes that nodes report and are allowed to report: those of their clients, and their own addresses.
template <class Visit>
void for_node_prefixes(const model::Records& records, Visit visit);

// How it works. The longest prefix that contains a client's address places the client; a configured claim beats
// reported claims of the same prefix. Within a cluster a prefix has one owner: a heard node before a silent one, then
// the node with the newer session, since the machine that got an address last also connected last.
//
// Clusters, however, may use the same addresses (kubeadm, kind and k3s give every cluster the same pod network), so the
// claims of different clusters are all kept, and the cluster that is asked decides: its own claim counts; otherwise the
// only claim that is heard; otherwise the claim of the cluster that has the next shorter configured prefix; otherwise
// the parts of the locality in which all claims agree. Nothing depends on the order of the records.
// source: docs/design.md section 3

/// Collects the claims of all prefixes. Claims of one cluster that are equally strong become one claim with the parts
/// in which they agree.
ClientClaims client_claims(const model::Records& records);

/// The place of the clients of a prefix, as one cluster sees it.
struct ClaimedPlace {
  model::Locality place;
  std::string reason;
  bool is_agreed = false;  // several clusters claim the prefix, and the place has the parts in which they agree
};
/// Returns the place of the clients of a prefix for the cluster that is asked.
/// claims:     at least one
/// cluster:    the cluster that is asked; empty = none
/// configured: the claims of the next shorter configured prefix; null = there is none
ClaimedPlace choose(const Claims& claims, const std::string& cluster, const Claims* configured);

/// Returns "prefix 10.244.0.0/24 is claimed by eu-1 and us-1".
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
