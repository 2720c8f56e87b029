#pragma once

#include <functional>
#include <memory>

#include "common/base/result.h"
#include "common/process/event_loop.h"

namespace meshdns::process {

/// Blocks SIGHUP, SIGTERM and SIGINT in this thread and in all that it starts: they wait for Signals. SIGPIPE is
/// ignored. A daemon calls it first, so that no signal ends it by default before it can be handled.
void hold_signals();
/// Undoes hold_signals(), for a program that turns out not to be a daemon.
void release_signals();

/// SIGHUP and SIGTERM (or SIGINT) as calls on the loop's thread. A thread of its own waits for them, so that the
/// process ends even if the loop, or what it calls, stands still: a second SIGTERM or SIGINT ends the process at once,
/// and so does the end of `stop_within` after the first, both with exit code 1. One per process.
/// requires: hold_signals() was called before any other thread was started
class Signals {
 public:
  struct Callbacks {
    std::function<void()> reload;
    std::function<void()> terminate;
  };
  static constexpr Duration kStopWithin = 15s;  // less than the units' TimeoutStopSec

  /// errors: Unavailable: no thread can be had
  static Result<std::unique_ptr<Signals>> start(EventLoop& loop, Callbacks callbacks,
                                                Duration stop_within = kStopWithin);
  /// Nothing is called any more. The process still ends by a second signal, or when it has not ended in time.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct State;
  explicit Signals(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::process
