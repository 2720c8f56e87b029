#pragma once

#include <functional>
#include <memory>

#include "common/process/event_loop.h"

namespace meshdns::process {

/// SIGHUP and SIGTERM (and SIGINT) as calls on the loop's thread. A second SIGTERM or SIGINT ends the process at once
/// with exit code 1. SIGPIPE is ignored. One per process; make it before other threads start.
class Signals {
 public:
  struct Callbacks {
    std::function<void()> reload;
    std::function<void()> terminate;
  };

  Signals(EventLoop& loop, Callbacks callbacks);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::process
