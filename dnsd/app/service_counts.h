#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/metrics/registry.h"
#include "common/model/records.h"
#include "dnsd/app/record_counts.h"
#include "dnsd/app/slices.h"
#include "dnsd/topology/address_claims.h"

namespace meshdns::dnsd::app {

/// Counts the endpoints of each service in each standing, in slices. Made anew for each scrape with metrics of
/// services.
/// thread: control
class ServiceCounts {
 public:
  using Services = std::map<model::ServiceKey, RecordCounts::Standings>;

  /// Counts further endpoints while the slice lasts.
  /// claims: of these records
  /// returns: true = all endpoints are counted; false = the slice is over
  bool look(const model::Records& records, const topology::AddressClaims& claims, Slice& slice);
  const Services& services() const { return services_; }
  /// Appends the counts as metrics.
  void collect(std::vector<metrics::Sample>& out) const;

 private:
  std::string after_;  // the key of the last endpoint that was counted
  Services services_;
};

}  // namespace meshdns::dnsd::app
