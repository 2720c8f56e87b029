#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/log/reminder.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/publish/pinned_table.h"
#include "dnsd/snapshot_file/snapshot_file.h"
#include "dnsd/snapshot_file/worker_thread.h"

namespace meshdns::snapshot_file {

/// Keeps the records of a running process in a file, for its next start.
///
/// How it works
///   control thread: | slice: blocks | ... other work ... | slice: blocks | ...       | ended
///   writer:                         | append             |               | append, checksum, rename |
///
/// The source encodes blocks for at most `slice` at a time; the next slice begins when the writer has appended the last
/// one, so that memory holds one slice, whatever the size of the mesh and however slow the disk. Records change between
/// slices. The file is right all the same: it says the revision at which the write began, each record in it is as it
/// was then or newer, and the next start asks for the delta from that revision, which has every record and removal
/// since: applying it to newer records changes nothing, or makes them as they are now. What follows on no revision (a
/// set from another origin, or of a new epoch) makes a write begin anew (`version`). The compiled answers that are kept
/// with it are those of the revision at which the write began: the next start answers from them until it has read the
/// records, which are as old or newer.
/// thread: the loop's
class SnapshotKeeper {
 public:
  /// Returns the next piece of what is kept; nothing = that was all.
  using Blocks = std::function<std::optional<std::string>()>;
  /// Hands work to the control thread.
  using Post = std::function<void(std::function<void()>)>;

  struct Options {
    std::string path;                // without the ending
    Duration interval{};             // between two writes, at least
    std::function<Blocks()> blocks;  // what is to be kept, from this moment on
    /// A write that began while this was another number is of no use. Empty = there is no such write
    std::function<std::uint64_t()> version = {};
    /// The answers that follow from it; may be null. Empty = they are not kept
    std::function<std::shared_ptr<publish::PinnedTable>()> answers = {};
    /// Keeps them, for the snapshot of this checksum; on the writer's thread
    std::function<void(const answers::AnswerTable&, std::uint64_t)> keep_answers = {};
    Duration slice = 10ms;  // of the control thread at once
  };
  static constexpr Duration kFirst = 5s;  // what has never been written is not put off for longer
  static constexpr int kLeisure = 20;     // times the control thread's cost of a write pass before the next one
  static constexpr std::size_t kBlockRecords = 1000;

  SnapshotKeeper(Timers& timers, const Clock& clock, Post post, Options options);
  SnapshotKeeper(const SnapshotKeeper&) = delete;
  SnapshotKeeper& operator=(const SnapshotKeeper&) = delete;
  /// Writes what was put off, and what is being written to its end.
  ~SnapshotKeeper();

  /// Something has changed.
  void save_later();
  /// Writes that ended, well or not.
  std::uint64_t writes() const { return writes_; }

 private:
  struct Write {
    Blocks blocks;
    std::uint64_t version = 0;
    std::shared_ptr<publish::PinnedTable> answers;
    bool complete = false;  // with its answers, if they are kept
    bool more = true;
    Duration cost{};
  };

  std::uint64_t version() const { return options_.version ? options_.version() : 0; }
  Duration delay() const;
  void begin();
  void slice();
  /// Lets others have the control thread before the next slice.
  void rest();
  void ended();
  /// Calls it on the loop's thread after the writer's work so far, if this is still here.
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
  bool saved_ = false;
  std::optional<Write> write_;  // that is under way
  Duration cost_{};             // of the last one
  std::uint64_t writes_ = 0;
  std::shared_ptr<SnapshotKeeper*> self_ = std::make_shared<SnapshotKeeper*>(this);  // null when it is gone
  std::atomic<bool> failed_ = false;                                                 // the write under way, or the last
  std::optional<snapshot_file::SnapshotFile::Writer> writer_;                        // the writer's
  log::Reminder reminder_;                                                           // the writer's
  WorkerThread worker_;                                                              // the last: it uses the others
};

/// For a source that has it in one piece.
SnapshotKeeper::Blocks one_block(std::string bytes);

}  // namespace meshdns::snapshot_file
