#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/metrics/registry.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/snapshot_file/warm_start.h"

namespace meshdns::dnsd::app {

/// Appends the metrics of what every meshdnsd has, whatever its roles are: the catalog, the answers that follow from
/// it, and the log.
void add_mesh(std::vector<metrics::Sample>& out, const MeshState& mesh, const snapshot_file::WarmStart& warm_start);

/// Appends the count of impossible values of one kind of peers: "agent", "subscriber" or "federation".
void count_clamped(std::vector<metrics::Sample>& out, const std::string& from, std::uint64_t values);

}  // namespace meshdns::dnsd::app
