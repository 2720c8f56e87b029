#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/time/time.h"

namespace meshdns::snapshot_file {

/// Bytes kept over restarts: with a checksum, in two generations, exchanged by atomic renames. A generation that is not
/// whole is put aside (".bad") and the one before is taken.
///
///   8 bytes "MDNSSNAP", 4 version, 8 unix seconds, 8 length, 8 XXH3 of all before and of the content; content
/// Numbers are little-endian.
class SnapshotFile {
 public:
  static constexpr std::uint32_t kVersion = 1;

  /// path: without ending; ".snapshot" and ".snapshot.previous" are the generations
  explicit SnapshotFile(std::string path) : path_(std::move(path)) {}

  struct Loaded {
    std::optional<std::string> content;  // nothing = there is no whole generation
    Duration age{};
    std::vector<std::string> problems;  // of the generations that were not taken
  };
  /// unix_seconds: now, for the age; a file from the future has age 0
  Loaded load(std::int64_t unix_seconds) const;

  /// Of what was saved last, as its head says: tells which one it is, not that it is whole. Nothing = there is none.
  std::optional<std::uint64_t> checksum() const;

  /// errors: Unavailable; the old generations stay
  Result<void> save(const std::string& content, std::int64_t unix_seconds) const;

 private:
  std::string path_;
};

/// Tells bytes apart.
std::uint64_t digest(std::string_view bytes);
/// The same of what a file says; 0 = it cannot be read.
std::uint64_t file_digest(const std::string& path);

}  // namespace meshdns::snapshot_file
