#include "dnsd/topology/host_part.h"

#include <algorithm>

#include "common/model/exports.h"
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

bool HostPart::exported(const model::Endpoint& endpoint) const {
  if (endpoint.memberships.empty()) return !endpoint.service.empty();
  if (object_ == nullptr) return model::is_exported(endpoint, service_);
  return std::ranges::any_of(object_->services, [&](const model::ServiceSelector& selector) {
    if (!selected_by(selector, endpoint)) return false;
    return selector.name.empty() ? model::is_exported(endpoint) : model::is_exported(endpoint, selector.name);
  });
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
  out.exported = exported(endpoint);
  if (endpoint.memberships.empty()) return out;
  out.hostname = hostname(endpoint);
  std::uint16_t first = 0;
  for_each_port(endpoint, [&](const model::Port& port) {
    if (first == 0) first = port.number;
  });
  if (first != 0) out.port = first;  // a headless Service may have no ports: then the endpoint's own one is shown
  return out;
}

}  // namespace meshdns::topology
