#include "dnsd/topology/lint_exports.h"

#include <set>

#include "dnsd/topology/host_part.h"

namespace meshdns::topology {

void lint_exports(const LintScene& scene, const model::VirtualDestination& object,
                  const std::vector<const model::Endpoint*>& matched, const std::string& path,
                  std::vector<Finding>& out) {
  const HostPart part(scene.records, object);
  std::set<std::string, NameLess> clusters;
  for (const model::Endpoint* endpoint : matched) {
    const std::string cluster = locality_of(scene.records, endpoint->node).cluster;
    if (part.exported(*endpoint) || same_name(cluster, scene.cluster)) return;
    clusters.insert(cluster);
  }
  if (clusters.empty()) return;
  out.push_back(
      {path, Severity::Warning,
       "it matches only endpoints of " + join({clusters.begin(), clusters.end()}, ", ") +
           " that are not exported: clients of other clusters do not get them; export the services there with "
           "a ServiceExport or the label meshdns.io/export: \"true\""});
}

}  // namespace meshdns::topology
