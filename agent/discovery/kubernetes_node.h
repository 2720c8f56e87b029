#pragma once

#include <boost/json/fwd.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/pod.h"
#include "common/base/result.h"
#include "common/model/locality.h"
#include "common/net/ip_address.h"
#include "common/net/prefix.h"

namespace meshdns::discovery {

/// The part of a Kubernetes Node that says where it is.
struct KubernetesNode {
  std::string name;
  std::string uid;
  std::string region;                // label topology.kubernetes.io/region, as a name of ours
  std::string zone;                  // label topology.kubernetes.io/zone, likewise
  std::vector<Prefix> pod_prefixes;  // spec.podCIDRs: what the pods of the node get, if the cluster's network obeys
  std::vector<IpAddress> addresses;  // the node's own: those of type InternalIP

  friend bool operator==(const KubernetesNode&, const KubernetesNode&) = default;
};

/// Reads a Node object of the Kubernetes API. Members that are missing or null are empty.
/// errors: InvalidArgument: a member has another type or form than expected, or the node has no name
Result<KubernetesNode> read_node(const boost::json::object& object);

/// Returns `place` with the region and zone of the node where it has none. An operator's own words come first, and a
/// zone is taken only together with its region.
model::Locality with_place_of(model::Locality place, const KubernetesNode& node);

/// The prefixes of clients on a node.
struct ClientPrefixes {
  std::vector<Prefix> prefixes;
  std::size_t left_out = 0;  // prefixes beyond model::kMostPrefixes

  friend bool operator==(const ClientPrefixes&, const ClientPrefixes&) = default;
};

/// Returns the prefixes whose clients are on the node: its own addresses, and its pods. The pods are covered by
/// podCIDRs if every pod has its addresses from there. Networks that take addresses from elsewhere (EKS, pools of
/// Calico and Cilium) may leave podCIDRs as they are: then each address of a pod is a prefix.
///
/// pods: of this node, by uid
ClientPrefixes client_prefixes(const KubernetesNode& node, const std::map<std::string, Pod>& pods);

}  // namespace meshdns::discovery
