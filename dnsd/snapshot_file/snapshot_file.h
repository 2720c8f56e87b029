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

/// Bytes kept over restarts: with a checksum, in two generations, exchanged by atomic renames. A generation that is not
/// whole is put aside (".bad") and the one before is taken. A generation of a version that this program does not know
/// is left alone.
///
///   version 2: 8 bytes "MDNSSNAP", 4 version, 8 unix seconds; content; 8 length, 8 XXH3 of all before
///   version 1: 8 bytes "MDNSSNAP", 4 version, 8 unix seconds, 8 length, 8 XXH3 of all before and of the content;
///   content
/// Numbers are little-endian; the length is the content's. Version 2 is written, both are read: in it length and
/// checksum come last, so that the content can be written while it is being made.
class SnapshotFile {
 public:
  static constexpr std::uint32_t kVersion = 2;

  /// path: without ending; ".snapshot" and ".snapshot.previous" are the generations
  explicit SnapshotFile(std::string path) : path_(std::move(path)) {}

  /// A generation that is being written, beside the others until it is whole. Destroyed before finish() it is gone.
  class Writer {
   public:
    Writer(Writer&& other) noexcept;
    Writer& operator=(Writer&& other) = delete;
    ~Writer();

    /// errors: Unavailable
    Result<void> append(std::string_view bytes);
    /// Makes it the current generation, and the current one the one before.
    /// returns: its checksum
    /// errors:  Unavailable; the old generations stay
    Result<std::uint64_t> finish();

   private:
    friend class SnapshotFile;
    struct State;
    explicit Writer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  /// errors: Unavailable
  Result<Writer> write(std::int64_t unix_seconds) const;
  /// Writes all at once.
  Result<void> save(std::string_view content, std::int64_t unix_seconds) const;

  /// The content of a generation whose checksum is right, from its begin to its end.
  class Reader {
   public:
    Reader(Reader&& other) noexcept;
    Reader& operator=(Reader&& other) noexcept;
    ~Reader();

    /// Appends up to `most` bytes to `out`. returns: false = that was all, or the rest cannot be read
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
    std::vector<std::string> problems;  // of the generations that were not taken
  };
  /// Reads the newest generation once to check it; its content is read from the file a second time.
  /// unix_seconds: now, for the age; a file from the future has age 0
  Opened open(std::int64_t unix_seconds) const;

  struct Loaded {
    std::optional<std::string> content;  // nothing = there is no whole generation
    Duration age{};
    std::vector<std::string> problems;
  };
  /// The same, read into memory.
  Loaded load(std::int64_t unix_seconds) const;

  /// Of what was saved last, as the file says: tells which one it is, not that it is whole. Nothing = there is none.
  std::optional<std::uint64_t> checksum() const;

 private:
  std::string path_;
};

/// Tells bytes apart.
std::uint64_t digest(std::string_view bytes);
/// The same of what a file says; 0 = it cannot be read.
std::uint64_t file_digest(const std::string& path);

}  // namespace meshdns::snapshot_file
