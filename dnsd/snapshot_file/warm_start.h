#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/time/time.h"
#include "dnsd/publish/publisher.h"
#include "dnsd/snapshot_file/kept_answers.h"
#include "dnsd/snapshot_file/worker_thread.h"

namespace meshdns::snapshot_file {

/// Publishes the answers that an earlier run has compiled, before the records are read from which they follow, and
/// keeps the answers of this run for the next. For who has its records from a snapshot (a replica) or from an endpoints
/// file; a federation's store changes at other times than its answers.
/// thread: control, but for what is noted
class WarmStart {
 public:
  static constexpr Duration kDelay = 2s;  // after a start or a reload: others are busy then

  /// Where the records come from.
  enum class Records : std::uint8_t { Store, Snapshot, EndpointsFile };
  /// Digests of what the configuration that runs says.
  struct Configured {
    std::uint64_t answers = 0;  // all that answers follow from, except for the endpoints file; 0 = not of the files
    std::uint64_t endpoints_file = 0;  // 0 = there is none
  };
  struct Options {
    std::string folder;  // of what is kept
    Records records = Records::Store;
    std::function<Configured()> configured;
    std::function<Duration()> stale_after;  // answers that follow from an older snapshot say so
  };

  WarmStart(Options options, publish::Publisher& publisher, const Clock& clock, Timers& timers);
  WarmStart(const WarmStart&) = delete;
  WarmStart& operator=(const WarmStart&) = delete;
  ~WarmStart();

  /// snapshot: of the records, without ending; empty = they are in the endpoints file. The publisher is configured.
  /// returns: whether answers are published
  bool take(const std::string& snapshot);
  /// Keeps what is published soon, unless it was taken and nothing has changed since. For an endpoints file.
  void keep_later();
  /// Keeps what follows from the snapshot of this checksum.
  /// thread: any, one at a time
  void keep(const answers::AnswerTable& table, std::uint64_t snapshot);
  /// Another configuration was read.
  void configuration_changed();

  KeptAnswers::Outcome outcome() const { return outcome_; }

 private:
  bool applies() const { return options_.records != Records::Store; }
  TableSource source(std::optional<std::uint64_t> snapshot) const;

  const Options options_;
  publish::Publisher& publisher_;
  Timers& timers_;
  KeptAnswers kept_;
  std::uint64_t program_;
  std::atomic<std::uint64_t> configuration_digest_;  // for writers
  std::atomic<std::uint64_t> mesh_digest_;
  KeptAnswers::Outcome outcome_ = KeptAnswers::Outcome::Missing;
  bool fresh_ = true;  // what is published is not what is kept
  std::optional<TimerId> timer_;
  std::optional<WorkerThread> writer_;  // the last: it uses the others; nothing = nothing is ever kept
};

}  // namespace meshdns::snapshot_file
