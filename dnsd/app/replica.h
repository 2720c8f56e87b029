#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/process/event_loop.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/follower.h"
#include "dnsd/federation/mirror.h"
#include "dnsd/federation/watch_client.h"
#include "dnsd/persistence/objects.h"
#include "dnsd/persistence/seed.h"
#include "dnsd/snapshot_file/snapshot_keeper.h"

namespace meshdns::dnsd::app {

/// Follows a federation for ReplicaRole: fills the catalog, and keeps the records in a snapshot file for the next
/// start.
/// thread: the loop's
class Replica {
 public:
  struct Options {
    federation::WatchOptions watch;
    std::string name;                                                // "us-1/host", shown by the federation
    std::string folder;                                              // of the snapshot file
    std::function<void()> changed;                                   // the catalog has a new revision
    std::function<std::shared_ptr<publish::PinnedTable>()> answers;  // see SnapshotKeeper
    std::function<void(const answers::AnswerTable&, std::uint64_t)> keep_answers;
  };
  static constexpr const char* kFile = persistence::kReplicaSnapshot;
  static constexpr Duration kSnapshotInterval = 5s;

  /// All references must outlive it.
  Replica(process::EventLoop& loop, const Clock& clock, catalog::Catalog& catalog, persistence::Objects& objects,
          Options options);

  /// Restores the records of the snapshot file.
  /// returns: false = there is no snapshot, or none is whole
  bool restore();
  /// Begins to follow the federation.
  void start();
  /// Ends the stream to the federation, and calls `done` then.
  /// requires: the loop still runs
  void stop(std::function<void()> done) { client_.stop(std::move(done)); }

  /// Returns how long nothing was heard from the federation. Before the first word, this is the age of the snapshot.
  Duration silence() const;
  /// The number of generations of the snapshot that were damaged at the start.
  std::size_t damaged_snapshots() const { return damaged_snapshots_; }
  bool connected() const { return follower_.connected(); }
  /// Whether the federation has lost its store and is recovering.
  bool origin_recovers() const { return follower_.origin_recovers(); }
  /// The closed brakes of the federation.
  const std::vector<v1::Brake>& origin_brakes() const { return follower_.origin_brakes(); }
  /// The number of durations of the federation that were out of bounds.
  std::uint64_t clamped() const { return follower_.clamped(); }
  std::string server() const { return client_.server(); }
  federation::Mirror& mirror() { return mirror_; }
  const federation::Mirror& mirror() const { return mirror_; }

 private:
  void changed();

  const Clock& clock_;
  Options options_;
  federation::Mirror mirror_;
  federation::Follower follower_;
  federation::WatchClient client_;
  snapshot_file::SnapshotKeeper keeper_;
  bool whole_ = false;       // the mirror has held a whole set: missing names may be answered with NXDOMAIN
  bool heard_ = false;       // from the federation, since the start
  std::uint64_t sets_ = 0;   // Mirror::sets() when free memory was returned to the system last
  Duration restored_age_{};  // of the snapshot
  TimePoint started_;
  std::size_t damaged_snapshots_ = 0;
};

}  // namespace meshdns::dnsd::app
