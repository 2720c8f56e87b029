#pragma once

#include <map>
#include <set>
#include <string>

#include "common/model/endpoint.h"
#include "common/time/time.h"
#include "dnsd/kubernetes/objects.h"

namespace meshdns::kubernetes {

/// Whether an entry of a slice is a pod on a Node. All others are placed by their zone alone.
bool is_on_node(const SliceEndpoint& endpoint);
/// Returns the name of the member that an entry of a slice is about: the uid of its pod, or "slice/NAMESPACE/SERVICE/
/// ADDRESS" if it is no pod.
std::string member_id(const Slice& slice, const SliceEndpoint& endpoint);
bool is_pod(const std::string& member);

/// What all slices together say of one member: a pod, or an address in a Service. Pure.
struct GatheredMember {
  std::string namespace_;
  std::map<std::string, model::Membership> memberships;  // by service
  std::set<IpAddress> addresses;                         // those of IPv4 come first
  bool on_node = false;
  std::string node;  // if on_node
  std::string zone;
  bool serving = true;  // all slices say so
  bool terminating = false;

  /// Adds one entry of a slice.
  /// service: of the slice
  void add(const Slice& slice, const SliceEndpoint& endpoint, const Service& service, bool exported);

  /// Pending = it does not serve: the catalog makes it failing where it was answered before.
  model::HealthState state() const;
  /// Returns the memberships with names for all ports where there are several, because SRV names ports.
  model::Memberships services() const;
  /// Returns the endpoint for the case that no agent owns it.
  /// node:  key
  /// since: of the state
  model::Endpoint endpoint(const std::string& member, const std::string& node_key, TimePoint since) const;
};

}  // namespace meshdns::kubernetes
