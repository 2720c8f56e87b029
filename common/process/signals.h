#pragma once

#include <functional>
#include <memory>

#include "common/base/result.h"
#include "common/process/event_loop.h"

namespace meshdns::process {

/// Blocks SIGHUP, SIGTERM and SIGINT in this thread and in all threads that it starts, until Signals takes them;
/// ignores SIGPIPE. A daemon calls this first, so that no signal ends the process by its default action.
void hold_signals();
/// Undoes hold_signals(), for a program that turns out not to be a daemon.
void release_signals();

/// Turns SIGHUP and SIGTERM (or SIGINT) into calls on the loop's thread. One per process.
///
/// A thread of its own waits for the signals, so that the process ends even if the loop is stuck: a second SIGTERM or
/// SIGINT ends the process at once, and so does a stop that takes longer than `stop_within`. The exit code is then 1.
/// requires: hold_signals() was called before any other thread was started
class Signals {
 public:
  struct Callbacks {
    std::function<void()> reload;
    std::function<void()> terminate;
  };
  static constexpr Duration kStopWithin = 15s;  // less than the units' TimeoutStopSec

  /// `loop` must outlive the result.
  /// errors: Unavailable: the system gives no thread
  static Result<std::unique_ptr<Signals>> start(EventLoop& loop, Callbacks callbacks,
                                                Duration stop_within = kStopWithin);
  /// No callback is called afterwards. The thread stays, and still ends the process by a second signal or when stopping
  /// takes too long.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct State;
  explicit Signals(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::process
