#include "dnsd/app/service_counts.h"

#include "common/metrics/samples.h"
#include "common/model/memberships.h"
#include "dnsd/topology/host_part.h"

namespace meshdns::dnsd::app {

bool ServiceCounts::look(const model::Records& records, const topology::AddressClaims& claims, Slice& slice) {
  const topology::PlanContext context{records, claims, records.overrides, TimePoint{}};
  for (auto at = records.endpoints.upper_bound(after_); at != records.endpoints.end(); ++at) {
    if (!slice.take()) return false;
    const model::Endpoint& endpoint = at->second;
    model::for_each_service(endpoint, [&](const std::string& service) {
      const topology::Standing standing = topology::HostPart(service).standing_of(context, endpoint);
      ++services_[{endpoint.namespace_, service}][static_cast<std::size_t>(standing)];
    });
    after_ = at->first;
  }
  return true;
}

void ServiceCounts::collect(std::vector<metrics::Sample>& out) const {
  for (const auto& [service, standings] : services_) {
    for (std::size_t i = 0; i < standings.size(); ++i) {
      metrics::gauge(out, "meshdns_service_endpoints", "endpoints of a service by how they stand",
                     {{"namespace", service.namespace_},
                      {"service", service.name},
                      {"state", std::string(standing_name(static_cast<topology::Standing>(i)))}},
                     standings[i]);
    }
  }
}

}  // namespace meshdns::dnsd::app
