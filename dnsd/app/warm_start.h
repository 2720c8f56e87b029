#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "common/time/time.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/kept_answers.h"
#include "dnsd/app/publisher.h"
#include "dnsd/app/worker_thread.h"

namespace meshdns::app {

/// Publishes the answers that an earlier run has compiled, before the records are read from which they follow, and
/// keeps the answers of this run for the next. For who has its records from a snapshot (a replica) or from an endpoints
/// file; a federation's store changes at other times than its answers.
/// thread: control, but for what is noted
class WarmStart {
 public:
  static constexpr Duration kDelay = 2s;  // after a start or a reload: others are busy then

  WarmStart(const Configuration& configuration, Publisher& publisher, const Clock& clock, Timers& timers);
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
  bool applies() const { return !configuration_.federation(); }
  TableSource source(std::optional<std::uint64_t> snapshot) const;

  const Configuration& configuration_;
  Publisher& publisher_;
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

}  // namespace meshdns::app
