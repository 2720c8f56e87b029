#pragma once

#include <map>
#include <string>

#include "common/model/records.h"
#include "dnsd/app/record_counts.h"
#include "dnsd/app/slices.h"
#include "dnsd/topology/address_claims.h"

namespace meshdns::app {

/// Counts the endpoints of each service by how they stand, in slices; one count for each scrape.
/// thread: control
class ServiceCounts {
 public:
  using Services = std::map<model::ServiceKey, RecordCounts::Standings>;

  /// returns: true = everything is counted, else the slice is over
  /// claims: of these records
  bool look(const model::Records& records, const topology::AddressClaims& claims, Slice& slice);
  const Services& services() const { return services_; }

 private:
  std::string after_;  // the key of the last endpoint that was counted
  Services services_;
};

}  // namespace meshdns::app
