#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/process/event_loop.h"
#include "dnsd/app/kept_answers.h"
#include "dnsd/app/reminder.h"
#include "dnsd/snapshot_file/snapshot_file.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::app {

/// A set of records that an earlier run has left.
struct KeptSet {
  v1::Batch batch;
  Duration age{};
};
struct KeptSnapshots {
  std::optional<KeptSet> newest;  // of the generations that are whole; nothing = there is none
  std::size_t damaged = 0;        // generations; what is wrong with them is logged
};
KeptSnapshots load_snapshot(const std::string& path, std::int64_t unix_seconds);

/// Keeps the records of a running process in a file, for its next start. The disk is waited for on a thread of its own.
/// thread: the loop's
class SnapshotKeeper {
 public:
  struct Options {
    std::string path;                  // without the ending
    Duration interval{};               // between two writes
    std::function<v1::Batch()> whole;  // what is to be kept, at this moment
    /// The answers that follow from it; may be null. Empty = they are not kept
    std::function<std::shared_ptr<PinnedTable>()> answers = {};
    /// Keeps them, for the snapshot of this checksum; on the writer's thread
    std::function<void(const answers::AnswerTable&, std::uint64_t)> keep_answers = {};
  };
  static constexpr Duration kFirst = 5s;  // what has never been written is not put off for longer

  SnapshotKeeper(process::EventLoop& loop, const Clock& clock, Options options);
  SnapshotKeeper(const SnapshotKeeper&) = delete;
  SnapshotKeeper& operator=(const SnapshotKeeper&) = delete;
  /// Writes what was put off.
  ~SnapshotKeeper();

  /// Something has changed.
  void save_later();

 private:
  /// returns: false = without the answers, which are not there yet
  bool save();
  void write(const std::string& content, std::int64_t unix_seconds);
  void write_answers(const std::shared_ptr<PinnedTable>& table);

  process::EventLoop& loop_;
  const Clock& clock_;
  Options options_;
  snapshot_file::SnapshotFile file_;
  std::optional<TimerId> timer_;
  std::optional<TimerId> retry_;
  bool saved_ = false;
  std::thread writer_;
  std::atomic<bool> writing_ = false;
  std::atomic<bool> failed_ = false;  // the last write
  Reminder reminder_;                 // the writer's
};

}  // namespace meshdns::app
