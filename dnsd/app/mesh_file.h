#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "dnsd/app/configuration.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/persistence/objects.h"

namespace meshdns::dnsd::app {

/// Keeps catalog and objects equal to the content of dns.endpoints_file. Used at the start and at each reload. A
/// process that has applied several versions of the file ends with the same records as one that starts with the last
/// version.
class MeshFile {
 public:
  /// The manager of objects from the file, and the source of its endpoints.
  static constexpr const char* kManager = persistence::Objects::kFileManager;

  /// `catalog` and `objects` must outlive it.
  MeshFile(catalog::Catalog& catalog, persistence::Objects& objects) : catalog_(catalog), objects_(objects) {}

  /// Puts the nodes, endpoints and objects of the file, and removes those that only its version before had. Refused
  /// records are left out and logged.
  void apply(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds);

 private:
  std::vector<catalog::Refusal> apply_node(const config::v1::MeshNode& file, TimePoint now);
  void apply_objects(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds);

  catalog::Catalog& catalog_;
  persistence::Objects& objects_;
  std::set<std::string> nodes_;  // keys of the nodes that came from the file
  std::int64_t created_ = 0;     // metadata.created of the file's objects: unix seconds of the first apply()
};

}  // namespace meshdns::dnsd::app
