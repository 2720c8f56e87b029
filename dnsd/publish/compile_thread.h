#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "common/published/quiescent.h"
#include "common/time/time.h"
#include "dnsd/answers/compiler.h"

namespace meshdns::publish {

/// Compiles answer tables on a thread of its own, publishes them there and frees the old ones, so that a large compile
/// delays neither heartbeats nor answers. The Publisher submits one update at a time; nothing is queued.
/// thread: control, except Done
class CompileThread {
 public:
  struct Finished {
    std::uint64_t number = 0;                         // of the update, from 1
    Duration cost{};                                  // of making and publishing the table
    Duration put_cost{};                              // the part of the cost for the hosts of the update
    std::size_t outdated = 0;                         // Compiler::outdated()
    std::uint8_t extra_parts = 0;                     // Compiler::extra_parts()
    std::map<std::uint8_t, std::size_t> view_counts;  // Compiler::view_counts()
  };
  /// Hears of each published table. Must not call the CompileThread, whose lock is held meanwhile.
  /// thread: compile
  using Done = std::function<void(const Finished&)>;

  /// `table` and `clock` must outlive the thread.
  CompileThread(Quiescent<answers::AnswerTable>& table, const Clock& clock, Done done);
  CompileThread(const CompileThread&) = delete;
  CompileThread& operator=(const CompileThread&) = delete;
  /// Finishes the table that is being made, and joins the thread. An update that was not begun may be dropped.
  ~CompileThread();

  /// Hands an update to the thread.
  /// requires: the update before is finished
  /// renew_for: how much time outdated hosts may take in addition to the hosts of the update
  /// returns: the number of the update
  std::uint64_t submit(answers::Update update, Duration renew_for = Duration::max());
  /// Blocks until the update that was submitted last is published.
  Finished wait();

 private:
  struct Work {
    answers::Update update;
    Duration renew_for;
  };

  void run();
  /// Compiles the next table and publishes it.
  Finished publish(Work work);

  Quiescent<answers::AnswerTable>& table_;
  const Clock& clock_;
  Done done_;
  answers::Compiler compiler_;  // used by the compile thread only
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Work> work_;  // submitted, not begun
  std::uint64_t submitted_ = 0;
  Finished finished_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace meshdns::publish
