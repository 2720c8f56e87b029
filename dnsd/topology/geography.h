#pragma once

#include <map>
#include <string>

#include "common/model/records.h"

namespace meshdns::topology {

/// What is known of clusters, beyond endpoints: how far they are from each other, and how they are entered. Refers to
/// the records.
struct Geography {
  const std::map<std::string, model::Cluster>& clusters;
  const std::map<std::string, model::ClusterStatus>& statuses;
};

inline Geography geography_of(const model::Records& records) { return {records.clusters, records.cluster_statuses}; }

}  // namespace meshdns::topology
