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

/// The one thread that makes answer tables, publishes them and frees the old ones, so that a large compile delays
/// neither heartbeats nor answers. One update at a time.
/// thread: that of the control loop, but for what is noted
class CompileThread {
 public:
  struct Finished {
    std::uint64_t number = 0;                         // of the update, from 1
    Duration cost{};                                  // to make the table and to publish it
    Duration put_cost{};                              // the part of it that the update's hosts cost
    std::size_t outdated = 0;                         // hosts that wait for being compiled anew: see Compiler
    std::uint8_t extra_parts = 0;                     // see Compiler
    std::map<std::uint8_t, std::size_t> view_counts;  // see Compiler
  };
  /// Told on the compile thread.
  using Done = std::function<void(const Finished&)>;

  CompileThread(Quiescent<answers::AnswerTable>& table, const Clock& clock, Done done);
  CompileThread(const CompileThread&) = delete;
  CompileThread& operator=(const CompileThread&) = delete;
  /// Ends after the update that it is in; no reader may be left that counts on more.
  ~CompileThread();

  /// requires: the update before is finished
  /// renew_for: for how long hosts that are outdated may be compiled anew beside those of the update
  /// returns: the update's number
  std::uint64_t submit(answers::Update update, Duration renew_for = Duration::max());
  /// Blocks until what was submitted last is published.
  Finished wait();

 private:
  struct Work {
    answers::Update update;
    Duration renew_for;
  };

  void run();
  /// Makes the table and publishes it.
  Finished publish(Work work);

  Quiescent<answers::AnswerTable>& table_;
  const Clock& clock_;
  Done done_;
  answers::Compiler compiler_;  // the thread's own
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Work> work_;  // waits for the thread
  std::uint64_t submitted_ = 0;
  Finished finished_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace meshdns::publish
