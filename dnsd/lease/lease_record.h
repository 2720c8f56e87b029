#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace meshdns::lease {

/// What a Lease object of the Kubernetes API says.
/// source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
struct LeaseRecord {
  std::string holder;            // empty = nobody: the last holder has released it
  std::int64_t seconds = 0;      // for which the holder counts since it renewed the lease
  std::string acquired;          // "2026-11-29T17:17:54.814932Z"
  std::string renewed;           // likewise
  std::int64_t transitions = 0;  // how often the lease has changed its holder
  std::string version;           // resourceVersion; empty = of no object yet

  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

/// Reads a Lease object. What is missing has its empty value.
/// errors: DataLoss: it has no resourceVersion, or a member has another type than expected
Result<LeaseRecord> parse_lease(const boost::json::object& object);

/// Returns a Lease object to be sent.
/// last: the object as the API had it; its labels and annotations stay
std::string lease_text(const LeaseRecord& record, const std::string& namespace_, const std::string& name,
                       const boost::json::object& last);

/// Returns a time with microseconds, as leases have it.
std::string micro_time_text(std::int64_t unix_micros);

}  // namespace meshdns::lease
