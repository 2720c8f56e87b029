#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "dnsd/explain/offline_mesh.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace CLI {
class App;
}

namespace meshdns::ctl {

/// The file with a mesh, for commands that need no server.
struct OfflineFlags {
  std::string file;
  std::vector<std::string> zones = {"mesh.internal"};
};

/// Adds the flags to a command.
/// names: of the flag for the file: "-f,--file"
void add_offline_flags(CLI::App& command, const std::string& names, OfflineFlags& flags);

/// Returns the mesh in a file.
/// errors: InvalidArgument: everything that is wrong in the file, a line each
Result<config::v1::MeshFile> read_mesh(const std::string& file);
Result<std::unique_ptr<explain::OfflineMesh>> offline_mesh(const OfflineFlags& flags);

}  // namespace meshdns::ctl
