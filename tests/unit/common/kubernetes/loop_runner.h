#pragma once

#include <functional>

#include "common/process/event_loop.h"

namespace meshdns::kubernetes::test {

/// Runs a loop until `done()`, for at most 20 s.
/// returns: whether it is done
inline bool run_until(process::EventLoop& loop, const std::function<bool()>& done) {
  bool late = false;
  const TimerId limit = loop.after(20s, [&] { late = true; });
  bool is_done = done();
  while (!is_done && !late) {
    loop.after(1ms, [&loop] { loop.stop(); });
    loop.run();
    loop.restart();
    is_done = done();
  }
  loop.cancel(limit);
  return is_done;
}

/// Runs a loop for so long.
inline void run_for(process::EventLoop& loop, Duration span) {
  bool over = false;
  loop.after(span, [&over] { over = true; });
  run_until(loop, [&over] { return over; });
}

}  // namespace meshdns::kubernetes::test
