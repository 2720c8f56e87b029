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

namespace meshdns::app {

/// A dnsd that serves DNS only: follows a federation, and keeps what it holds in a file for its next start.
/// thread: the loop's
class Replica {
 public:
  struct Options {
    federation::WatchOptions watch;
    std::string name;                                                // "us-1/host", for its federation's operators
    std::string folder;                                              // of the snapshot file
    std::function<void()> changed;                                   // the catalog has a new revision
    std::function<std::shared_ptr<publish::PinnedTable>()> answers;  // see SnapshotKeeper
    std::function<void(const answers::AnswerTable&, std::uint64_t)> keep_answers;
  };
  static constexpr const char* kFile = persistence::kReplicaSnapshot;
  static constexpr Duration kSnapshotInterval = 5s;

  Replica(process::EventLoop& loop, const Clock& clock, catalog::Catalog& catalog, persistence::Objects& objects,
          Options options);

  /// Takes what an earlier run left; false = nothing was left, or nothing of it is whole.
  bool restore();
  void start();
  /// Before the loop ends; `done` when the federation's stream has.
  void stop(std::function<void()> done) { client_.stop(std::move(done)); }

  /// Since when nothing was heard from the federation; what was restored counts as unheard.
  Duration silence() const;
  /// Generations of the snapshot that were not whole at the start, and were put aside.
  std::size_t damaged_snapshots() const { return damaged_snapshots_; }
  bool connected() const { return follower_.connected(); }
  /// Its federation has lost its store, and learns anew what there is.
  bool origin_recovers() const { return follower_.origin_recovers(); }
  /// What its federation's brakes hold back.
  const std::vector<v1::Brake>& origin_brakes() const { return follower_.origin_brakes(); }
  std::string server() const { return client_.server(); }
  federation::Mirror& mirror() { return mirror_; }

 private:
  void changed();

  const Clock& clock_;
  Options options_;
  federation::Mirror mirror_;
  federation::Follower follower_;
  federation::WatchClient client_;
  snapshot_file::SnapshotKeeper keeper_;
  bool whole_ = false;  // what is held was everything once
  bool heard_ = false;
  std::uint64_t sets_ = 0;  // of the mirror, when free memory was given back last
  Duration restored_age_{};
  TimePoint started_;
  std::size_t damaged_snapshots_ = 0;
};

}  // namespace meshdns::app
