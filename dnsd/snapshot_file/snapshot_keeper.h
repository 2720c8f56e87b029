#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/post.h"
#include "common/log/reminder.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/publish/pinned_table.h"
#include "dnsd/snapshot_file/snapshot_file.h"
#include "dnsd/snapshot_file/worker_thread.h"

namespace meshdns::snapshot_file {

/// Writes the records of a running process to a snapshot file, for its next start. A replica uses it for the records of
/// its federation, a federation for the case that its store is lost.
///
/// How it works
///   control thread: | slice: blocks | ... other work ... | slice: blocks | ...       | ended
///   writer:                         | append             |               | append, checksum, rename |
///
/// The source encodes blocks for at most `slice` at a time. The next slice begins when the writer has appended the last
/// one, so that memory holds one slice, whatever the size of the mesh and the speed of the disk.
///
/// Records change between slices, and the file is right all the same. It names the revision at which the write began,
/// and each record in it is as it was then or newer. The next start asks for the delta from that revision, which has
/// every change and removal since; applying the delta to a newer record is harmless. A change that no delta describes
/// (a set from another origin, or of a new epoch) changes `version`, and the write begins again.
///
/// The compiled answers that are kept with the file are those of the revision at which the write began. The next start
/// answers from them until it has read the records, which are as old or newer.
/// thread: the loop's
class SnapshotKeeper {
 public:
  /// Returns the next encoded piece of the snapshot; nothing = the end is reached.
  using Blocks = std::function<std::optional<std::string>()>;

  struct Options {
    std::string path;                // without the ending
    Duration interval{};             // the least time between two writes
    std::function<Blocks()> blocks;  // begins a snapshot of the records as they are now
    /// Returns a number whose change makes the write under way useless. Empty = the number never changes.
    std::function<std::uint64_t()> version = {};
    /// Pins the answers of the records as they are now; null = not possible now. Empty = answers are not kept.
    std::function<std::shared_ptr<publish::PinnedTable>()> answers = {};
    /// Writes the pinned answers beside the snapshot with this checksum.
    /// thread: the writer's
    std::function<void(const answers::AnswerTable&, std::uint64_t)> keep_answers = {};
    Duration slice = 10ms;  // of the control thread at a time
  };
  static constexpr Duration kFirst = 5s;  // the longest delay of the first write
  static constexpr int kLeisure = 20;     // the pause after a write, as a multiple of its cost on the control thread
  static constexpr std::size_t kBlockRecords = 1000;

  /// `timers` and `clock` must outlive the keeper.
  SnapshotKeeper(Timers& timers, const Clock& clock, Post post, Options options);
  SnapshotKeeper(const SnapshotKeeper&) = delete;
  SnapshotKeeper& operator=(const SnapshotKeeper&) = delete;
  /// Finishes the write under way, or the one that save_later() has planned. Blocks until it is on the disk.
  ~SnapshotKeeper();

  /// Plans a write after a change, unless one is planned already.
  void save_later();
  /// The number of writes that ended, successful or not.
  std::uint64_t writes() const { return writes_; }

 private:
  struct Write {
    Blocks blocks;
    std::uint64_t version = 0;
    std::shared_ptr<publish::PinnedTable> answers;
    bool complete = false;  // the answers could be pinned, or are not kept
    bool more = true;       // blocks are left
    Duration cost{};        // on the control thread
  };

  std::uint64_t version() const { return options_.version ? options_.version() : 0; }
  Duration delay() const;
  void begin();
  void slice();
  /// Plans the next slice, so that other work gets the control thread in between. Ends a write that has failed.
  void rest();
  void ended();
  /// Calls `step` on the control thread when the writer has done all its work so far, unless the keeper is gone by
  /// then.
  void then(void (SnapshotKeeper::*step)());

  // ---- on the writer's thread ----

  void open(std::int64_t unix_seconds);
  void append(const std::string& bytes);
  void finish(const std::shared_ptr<publish::PinnedTable>& answers);
  void failed(const Error& why);

  Timers& timers_;
  const Clock& clock_;
  const Post post_;
  Options options_;
  snapshot_file::SnapshotFile file_;
  std::optional<TimerId> timer_;  // of the next write
  std::optional<TimerId> pause_;  // between two slices
  bool saved_ = false;            // a write has begun since the start
  std::optional<Write> write_;    // the write under way
  Duration cost_{};               // of the last write, on the control thread
  std::uint64_t writes_ = 0;
  std::shared_ptr<SnapshotKeeper*> self_ = std::make_shared<SnapshotKeeper*>(this);  // null after destruction
  std::atomic<bool> failed_ = false;                                                 // the write under way, or the last
  std::optional<snapshot_file::SnapshotFile::Writer> writer_;                        // used by the writer only
  log::Reminder reminder_;                                                           // used by the writer only
  WorkerThread worker_;                                                              // last: uses the members above
};

/// Returns blocks for a source that has the whole snapshot in one piece.
SnapshotKeeper::Blocks one_block(std::string bytes);

}  // namespace meshdns::snapshot_file
