#include "common/model/records.h"

namespace meshdns::model {

Locality locality_of(const Records& records, const std::string& node) {
  const auto found = records.nodes.find(node);
  if (found == records.nodes.end()) return {};
  const auto cluster = records.clusters.find(found->second.locality.cluster);
  if (cluster == records.clusters.end()) return found->second.locality;
  return refined(found->second.locality, cluster->second.locality);
}

}  // namespace meshdns::model
