#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"

namespace meshdns::log {

/// Writes lines to a descriptor, on a thread of its own from start() on, so that nobody else waits for the reader.
///
/// How it works: put() adds a line to a queue with an upper bound and returns. The writing thread takes the whole queue
/// and writes it. While the reader stands still, or the disk is full, the queue fills up and further lines are dropped
/// and counted. As soon as lines can be written again, a note says how many are missing, at the place where they are.
class LineWriter {
 public:
  struct Limits {
    std::size_t lines = 4096;  // in the queue
    std::size_t bytes = std::size_t{1} << 20;
  };
  /// Returns the line that says how many lines are missing.
  using Note = std::function<std::string(std::uint64_t count)>;

  /// The descriptor must outlive the process or the writer's thread. It is not closed.
  LineWriter(int descriptor, Note note, Limits limits);
  LineWriter(int descriptor, Note note);
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  /// Calls finish() with a patience of nothing.
  ~LineWriter();

  /// Starts the thread. Before that, put() itself writes, and waits for the reader.
  /// errors: Unavailable: no thread can be had
  Result<void> start();
  /// Writes what is in the queue and ends the thread. Later lines are written at once if the descriptor takes them, and
  /// are dropped otherwise.
  /// returns: false = the reader did not take everything within `patience`; the thread is left behind
  bool finish(Duration patience);

  /// line: with its newline. thread: any
  void put(std::string line);
  /// The number of lines that nobody will see. thread: any
  std::uint64_t dropped() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace meshdns::log
