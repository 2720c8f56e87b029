#pragma once

#include <vector>

#include "common/metrics/registry.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/snapshot_file/warm_start.h"

namespace meshdns::dnsd::app {

/// Appends the metrics of what every meshdnsd has, whatever its roles are: the catalog, the answers that follow from
/// it, and the log.
void add_mesh(std::vector<metrics::Sample>& out, const MeshState& mesh, const snapshot_file::WarmStart& warm_start);

}  // namespace meshdns::dnsd::app
