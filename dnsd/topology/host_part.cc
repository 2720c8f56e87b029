#include "dnsd/topology/host_part.h"

#include "dnsd/topology/matching.h"

namespace meshdns::topology {

bool HostPart::selected_by(const model::ServiceSelector& selector, const model::Endpoint& endpoint) const {
  if (!selects(selector, object_->meta.namespace_, endpoint)) return false;
  if (selector.clusters.empty()) return true;
  const auto node = records_->nodes.find(endpoint.node);
  return selects_cluster(selector, node == records_->nodes.end() ? "" : node->second.locality.cluster);
}

bool HostPart::not_ready_too(const model::Endpoint& endpoint) const {
  bool out = false;
  visit_memberships(endpoint, [&](const model::Membership& membership) { out = out || membership.not_ready_too; });
  return out;
}

std::string_view HostPart::hostname(const model::Endpoint& endpoint) const {
  std::string_view out;
  visit_memberships(endpoint, [&](const model::Membership& membership) {
    if (out.empty()) out = membership.hostname;
  });
  return out;
}

Candidate HostPart::candidate_of(const PlanContext& context, const model::Endpoint& endpoint) const {
  Candidate out = topology::candidate_of(context, endpoint, not_ready_too(endpoint));
  if (endpoint.memberships.empty()) return out;
  out.hostname = hostname(endpoint);
  out.port = 0;
  for_each_port(endpoint, [&](const model::Port& port) {
    if (out.port == 0) out.port = port.number;
  });
  return out;
}

}  // namespace meshdns::topology
