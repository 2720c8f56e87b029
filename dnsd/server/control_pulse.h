#pragma once

#include <atomic>

#include "common/time/time.h"

namespace meshdns::server {

/// Tells the DNS threads whether the control thread still goes round. Nobody else could: what the control thread would
/// have to publish when it stands still is not published.
class ControlPulse {
 public:
  /// The control thread is alive, and will call again before `patience` is over. thread: control
  void beat(TimePoint now, Duration patience) noexcept {
    due_.store((now + patience).time_since_epoch().count(), std::memory_order_relaxed);
  }
  /// Whether the control thread is late by so much that what it published is stale. Before the first beat nothing is.
  /// thread: any
  bool is_silent(TimePoint now) const noexcept {
    return now.time_since_epoch().count() > due_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<Duration::rep> due_{Duration::max().count()};
};

}  // namespace meshdns::server
