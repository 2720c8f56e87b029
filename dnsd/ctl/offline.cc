#include "dnsd/ctl/offline.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/config/load.h"
#include "common/model/host_name.h"
#include "common/time/system_clock.h"

namespace meshdns::ctl {

void add_offline_flags(CLI::App& command, const std::string& names, OfflineFlags& flags) {
  auto* file =
      command.add_option(names, flags.file, "ask no server: the mesh of this file, as dns.endpoints_file has it");
  command.add_option("--zone", flags.zones, "of the file's hosts")
      ->needs(file)
      ->allow_extra_args(false)
      ->capture_default_str();
}

Result<config::v1::MeshFile> read_mesh(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return Error(Code::InvalidArgument, text.error().message());
  auto mesh = config::load_mesh(*text, file);
  if (mesh) return *std::move(mesh);
  std::string problems = config::problems_text(mesh.error());
  problems.pop_back();  // the last newline
  return Error(Code::InvalidArgument, problems);
}

Result<std::unique_ptr<explain::OfflineMesh>> offline_mesh(const OfflineFlags& flags) {
  std::vector<std::string> zones;
  for (const std::string& zone : flags.zones) {
    if (!model::is_host_name(zone)) return Error(Code::InvalidArgument, "--zone: " + zone + " is no DNS name");
    zones.push_back(model::host_key(zone));
  }
  const auto file = read_mesh(flags.file);
  if (!file) return file.error();
  const SystemClock clock;
  auto mesh = explain::OfflineMesh::of(*file, zones, clock.now(), clock.unix_seconds());
  for (const std::string& problem : mesh->problems()) std::cerr << flags.file << ": left out: " << problem << "\n";
  return mesh;
}

}  // namespace meshdns::ctl
