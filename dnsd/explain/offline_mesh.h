#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dnsd/answers/compile.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/explain/scene.h"
#include "dnsd/topology/planner.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::explain {

/// A mesh that is read from one file (in the format of dns.endpoints_file), with the answers that a meshdnsd would give
/// from it. It is for looking at a mesh without a server.
class OfflineMesh {
 public:
  /// Builds the mesh of a file. Parts that a server would refuse are left out; see problems().
  /// zones: "mesh.internal"
  static std::unique_ptr<OfflineMesh> of(const config::v1::MeshFile& file, const std::vector<std::string>& zones,
                                         TimePoint now, std::int64_t unix_seconds);

  /// Returns what was left out and why, one line each.
  const std::vector<std::string>& problems() const { return problems_; }
  /// Returns the scene, which refers to this.
  Scene scene() { return {catalog_, planner_, settings_, *table_, now_, unix_seconds_}; }

 private:
  OfflineMesh(const std::vector<std::string>& zones, TimePoint now, std::int64_t unix_seconds);
  void add(const config::v1::MeshNode& file);
  void add(const v1::Object& object);

  catalog::Catalog catalog_;
  topology::Planner planner_{catalog_.records()};
  answers::AnswerSettings settings_;
  std::shared_ptr<const answers::AnswerTable> table_;
  TimePoint now_;
  std::int64_t unix_seconds_;
  std::vector<std::string> problems_;
};

}  // namespace meshdns::explain
