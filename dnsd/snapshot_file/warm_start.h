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

/// Publishes the answer table that an earlier run has compiled, before its records are read, and keeps the table of
/// this run for the next one. A replica and a dnsd with an endpoints file use it. A federation does not: its store is
/// written at other times than its answers change, so that a kept table would not match the store.
/// thread: control, except keep()
class WarmStart {
 public:
  static constexpr Duration kDelay = 2s;  // from a start or a reload, when the machine is busy, to the write

  /// The source of this process's records.
  enum class Records : std::uint8_t { Store, Snapshot, EndpointsFile };
  /// Digests of the configuration that runs.
  struct Configured {
    std::uint64_t answers = 0;  // everything that shapes answers, except the endpoints file; 0 = differs from the files
    std::uint64_t endpoints_file = 0;  // 0 = there is none
  };
  struct Options {
    std::string folder;                // of the kept table
    Records records = Records::Store;  // Store = this object does nothing
    std::function<Configured()> configured;
    std::function<Duration()> stale_after;  // a table from an older snapshot answers as stale
  };

  /// `publisher`, `clock` and `timers` must outlive it.
  WarmStart(Options options, publish::Publisher& publisher, const Clock& clock, Timers& timers);
  WarmStart(const WarmStart&) = delete;
  WarmStart& operator=(const WarmStart&) = delete;
  ~WarmStart();

  /// Publishes the kept table if its configuration, records and program are those of this process.
  /// requires: the publisher is configured
  /// snapshot: the path of the records' snapshot without its ending; empty = records come from the endpoints file
  /// returns: whether a table was published
  bool take(const std::string& snapshot);
  /// Writes the published table soon, unless the file has it already. Does nothing without an endpoints file.
  void keep_later();
  /// Writes the table of the snapshot that has this checksum.
  /// thread: any, one at a time
  void keep(const answers::AnswerTable& table, std::uint64_t snapshot);
  /// Takes over the digests of a configuration that was just read.
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
  std::atomic<std::uint64_t> configuration_digest_;  // atomic: keep() reads both on another thread
  std::atomic<std::uint64_t> mesh_digest_;
  KeptAnswers::Outcome outcome_ = KeptAnswers::Outcome::Missing;
  bool fresh_ = true;  // the file does not have the published table
  std::optional<TimerId> timer_;
  std::optional<WorkerThread> writer_;  // last: uses the members above; nothing unless there is an endpoints file
};

}  // namespace meshdns::snapshot_file
