#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/time/time.h"

namespace meshdns::snapshot_file {

/// A file that keeps bytes over restarts, with a checksum and in two generations that are exchanged by atomic renames.
/// Used for the records of a federation or replica, and for compiled answers; does not know what the bytes mean. A
/// damaged generation is renamed to ".bad" and the previous one is used. A generation of an unknown version is left
/// alone, because a newer program may still need it.
///
///   version 2: 8 bytes "MDNSSNAP", 4 version, 8 unix seconds; content; 8 length, 8 XXH3 of everything before
///   version 1: 8 bytes "MDNSSNAP", 4 version, 8 unix seconds, 8 length, 8 XXH3 of everything before and content;
///            content
///
/// Numbers are little-endian; the length is the content's. Version 2 is written, both are read. In version 2, length
/// and checksum come last, so that the content can be written while it is being made.
class SnapshotFile {
 public:
  static constexpr std::uint32_t kVersion = 2;

  /// path: without ending; ".snapshot" and ".snapshot.previous" are added for the generations
  explicit SnapshotFile(std::string path) : path_(std::move(path)) {}

  /// A generation that is being written to a file of its own. The destructor removes the file unless finish()
  /// succeeded.
  class Writer {
   public:
    Writer(Writer&& other) noexcept;
    Writer& operator=(Writer&& other) = delete;
    ~Writer();

    /// Appends bytes to the content.
    /// errors: Unavailable
    Result<void> append(std::string_view bytes);
    /// Makes this the current generation, and the current generation the previous one, durably.
    /// returns: the checksum
    /// errors:  Unavailable; a whole generation stays
    Result<std::uint64_t> finish();

   private:
    friend class SnapshotFile;
    struct State;
    explicit Writer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  /// Begins a generation.
  /// errors: Unavailable
  Result<Writer> write(std::int64_t unix_seconds) const;
  /// Writes a generation in one call.
  Result<void> save(std::string_view content, std::int64_t unix_seconds) const;

  /// Reads the content of a generation, whose checksum was found right, from beginning to end.
  class Reader {
   public:
    Reader(Reader&& other) noexcept;
    Reader& operator=(Reader&& other) noexcept;
    ~Reader();

    /// Appends up to `most` bytes to `out`.
    /// returns: false = nothing is left, or the rest cannot be read
    bool read(std::string& out, std::size_t most);
    std::uint64_t left() const { return left_; }

   private:
    friend class SnapshotFile;
    Reader(int fd, std::uint64_t length) : fd_(fd), left_(length) {}
    int fd_;
    std::uint64_t left_;
  };
  struct Opened {
    std::optional<Reader> content;  // nothing = there is no whole generation
    Duration age{};
    std::vector<std::string> problems;  // of generations that were not used
  };
  /// Opens the newest whole generation. Reads it once to check it; the Reader then reads it a second time.
  /// unix_seconds: now, for the age; a file from the future has age 0
  Opened open(std::int64_t unix_seconds) const;

  struct Loaded {
    std::optional<std::string> content;  // nothing = there is no whole generation
    Duration age{};
    std::vector<std::string> problems;
  };
  /// Like open(), but reads the content into memory.
  Loaded load(std::int64_t unix_seconds) const;

  /// Returns the checksum in the current generation's file, unchecked: it identifies the generation, but does not prove
  /// that it is whole. Nothing = there is none.
  std::optional<std::uint64_t> checksum() const;

 private:
  std::string path_;
};

/// Returns a hash of bytes, to compare them.
std::uint64_t digest(std::string_view bytes);
/// Returns the hash of a file's content; 0 = the file cannot be read.
std::uint64_t file_digest(const std::string& path);

}  // namespace meshdns::snapshot_file
