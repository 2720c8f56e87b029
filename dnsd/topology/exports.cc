#include "dnsd/topology/exports.h"

#include <algorithm>

#include "common/model/exports.h"
#include "dnsd/topology/plan.h"

namespace meshdns::topology {
namespace {

/// Returns whether an endpoint belongs only to a service that it names itself: such an endpoint is always exported.
bool is_plain(const model::Endpoint& endpoint) { return !endpoint.service.empty() && endpoint.memberships.empty(); }

}  // namespace

template <class Visit>
void HostServices::for_each_service(const model::Endpoint& endpoint, const std::string& cluster, Visit visit) const {
  if (service_ != nullptr) return visit(service_->name);
  for (const model::ServiceSelector& selector : object_->services) {
    if (selects(selector, object_->meta.namespace_, endpoint) && selects_cluster(selector, cluster)) {
      visit(selector.name);
    }
  }
}

bool HostServices::exports(const model::Endpoint& endpoint, const std::string& cluster) const {
  if (is_plain(endpoint)) return true;
  bool out = false;
  for_each_service(endpoint, cluster, [&](const std::string& service) {
    out = out || (service.empty() ? model::is_exported(endpoint) : model::is_exported(endpoint, service));
  });
  return out;
}

void HostServices::keep_exported(const model::Records& records, std::vector<const model::Endpoint*>& endpoints) const {
  std::erase_if(endpoints, [&](const model::Endpoint* endpoint) {
    const auto node = records.nodes.find(endpoint->node);
    return !exports(*endpoint, node == records.nodes.end() ? std::string() : node->second.locality.cluster);
  });
}

void HostServices::write(const std::vector<const model::Endpoint*>& endpoints, HostPlan& host) const {
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (is_plain(*endpoints[i])) continue;
    Candidate& candidate = host.candidates[i];
    candidate.exported = exports(*endpoints[i], candidate.locality.cluster);
  }
}

}  // namespace meshdns::topology
