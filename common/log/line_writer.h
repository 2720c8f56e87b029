#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"

namespace meshdns::log {

/// Writes lines to a descriptor, on a thread of its own from start() on, so that no other thread waits for the reader.
/// The log uses one for standard error.
///
/// How it works: put() adds a line to a bounded queue and returns. The writing thread takes the whole queue and writes
/// it. While the reader is stuck or the disk is full, the queue fills up, and further lines are dropped and counted. As
/// soon as lines can be written again, a note in place of the dropped lines says how many there were.
class LineWriter {
 public:
  struct Limits {
    std::size_t lines = 4096;                  // in the queue
    std::size_t bytes = std::size_t{1} << 20;  // of these lines
  };
  /// Returns the line that says how many lines are missing.
  using Note = std::function<std::string(std::uint64_t count)>;

  /// The descriptor must stay open until the writer's thread has ended, or until the process ends. It is not closed.
  LineWriter(int descriptor, Note note, Limits limits);
  LineWriter(int descriptor, Note note);
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  /// Calls finish() with a patience of zero.
  ~LineWriter();

  /// Starts the thread. Before that, put() writes by itself and waits for the reader.
  /// errors: Unavailable: the system gives no thread
  Result<void> start();
  /// Writes what is in the queue and ends the thread. Later lines are written at once if the descriptor takes them, and
  /// are dropped otherwise.
  /// returns: false = the reader did not take everything within `patience`; the thread is left running
  bool finish(Duration patience);

  /// Queues a line for writing, or drops it if the queue is full.
  /// line: with its newline
  /// thread: any
  void put(std::string line);
  /// The number of lines that were dropped.
  /// thread: any
  std::uint64_t dropped() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace meshdns::log
