#include "dnsd/app/service_counts.h"

#include "dnsd/topology/plan.h"

namespace meshdns::app {

bool ServiceCounts::look(const model::Records& records, const topology::AddressClaims& claims, Slice& slice) {
  const topology::PlanContext context{records, claims, records.overrides, TimePoint{}};
  for (auto at = records.endpoints.upper_bound(after_); at != records.endpoints.end(); ++at) {
    if (!slice.take()) return false;
    const model::Endpoint& endpoint = at->second;
    const auto standing = static_cast<std::size_t>(topology::standing_of(context, endpoint));
    ++services_[{endpoint.namespace_, endpoint.service}][standing];
    after_ = at->first;
  }
  return true;
}

}  // namespace meshdns::app
