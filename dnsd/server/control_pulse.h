#pragma once

#include <atomic>

#include "common/time/time.h"

namespace meshdns::server {

/// Tells DNS threads whether the control thread still runs. DNS threads have to find that out by themselves, because a
/// control thread that stands still cannot publish it.
class ControlPulse {
 public:
  /// Notes that the control thread runs, and will call again before `patience` is over.
  /// thread: control
  void beat(TimePoint now, Duration patience) noexcept {
    due_.store((now + patience).time_since_epoch().count(), std::memory_order_relaxed);
  }
  /// Returns whether the control thread is so late that what it has published is stale. Returns false before the first
  /// beat.
  /// thread: any
  bool is_silent(TimePoint now) const noexcept {
    return now.time_since_epoch().count() > due_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<Duration::rep> due_{Duration::max().count()};
};

}  // namespace meshdns::server
