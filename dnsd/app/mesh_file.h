#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "dnsd/app/configuration.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/persistence/objects.h"

namespace meshdns::app {

/// Keeps catalog and objects equal to dns.endpoints_file.
class MeshFile {
 public:
  /// Of its objects, and the source of its endpoints.
  static constexpr const char* kManager = persistence::Objects::kFileManager;

  MeshFile(catalog::Catalog& catalog, persistence::Objects& objects) : catalog_(catalog), objects_(objects) {}

  /// Puts what the file says now, and takes back what it said before and does not any more. What is refused is left
  /// out, and logged. What comes of it is what a process that begins with this file has.
  void apply(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds);

 private:
  std::vector<catalog::Refusal> apply_node(const config::v1::MeshNode& file, TimePoint now);
  void apply_objects(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds);

  catalog::Catalog& catalog_;
  persistence::Objects& objects_;
  std::set<std::string> nodes_;
  std::int64_t created_ = 0;  // of the file's objects, unix seconds: when the first file was applied
};

}  // namespace meshdns::app
