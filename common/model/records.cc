#include "common/model/records.h"

#include "common/model/named.h"

namespace meshdns::model {

Locality locality_of(const Records& records, const std::string& node) {
  const auto found = records.nodes.find(node);
  if (found == records.nodes.end()) return {};
  const Cluster* cluster = find_named(records.clusters, found->second.locality.cluster);
  return cluster == nullptr ? found->second.locality : refined(found->second.locality, cluster->locality);
}

}  // namespace meshdns::model
