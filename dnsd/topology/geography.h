#pragma once

#include <map>
#include <string>

#include "common/model/records.h"

namespace meshdns::topology {

/// The records about clusters besides their endpoints: distances between them, and gateways into them. The records must
/// outlive this.
struct Geography {
  const std::map<std::string, model::Cluster>& clusters;
  const std::map<std::string, model::ClusterStatus>& statuses;
};

/// Returns the geography of some records.
inline Geography geography_of(const model::Records& records) { return {records.clusters, records.cluster_statuses}; }

}  // namespace meshdns::topology
