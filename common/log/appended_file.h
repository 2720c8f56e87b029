#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "common/base/result.h"
#include "common/log/line_writer.h"

namespace meshdns::log {

/// A file to which lines are appended, on a thread of its own (LineWriter), so that no other thread waits for the disk.
/// The file is for its owner only (0600). Lines that the file does not take are counted, and a note in the file says
/// how many are missing.
/// thread: one
class AppendedFile {
 public:
  /// note: the line that says how many lines are missing
  explicit AppendedFile(LineWriter::Note note) : note_(std::move(note)) {}
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;
  /// Gives the thread a second to write the queued lines.
  ~AppendedFile();

  /// Opens the file, which it makes if there is none. Later lines go there. If the file cannot be opened, they go where
  /// the lines before went.
  /// errors: Unavailable, with path and reason
  Result<void> open(const std::string& path);
  /// Appends a line.
  /// line: with its newline
  void put(std::string line);
  /// The number of lines that were put and that no file has taken.
  std::uint64_t lost() const { return unopened_ + (writer_ ? writer_->dropped() : 0); }

  /// Whether this process could append to the file, or make it. Changes nothing.
  /// errors: as open()
  static Result<void> check(const std::string& path);

 private:
  const LineWriter::Note note_;
  int descriptor_ = -1;  // the same number for all files: the writer's thread may be using it
  std::optional<LineWriter> writer_;
  std::uint64_t unopened_ = 0;  // lines put before a file could be opened
};

}  // namespace meshdns::log
