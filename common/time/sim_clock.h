#pragma once

#include <atomic>
#include <map>
#include <utility>

#include "common/time/time.h"

namespace meshdns {

/// A clock and its timers in simulated time, for tests and simulations. Time stands still until advance() is called,
/// which also runs the timers that fall due, in order.
/// thread: one; now(): any
class SimClock : public Clock, public Timers {
 public:
  TimePoint now() const override { return now_.load(std::memory_order_relaxed); }
  std::int64_t unix_seconds() const override;

  TimerId after(Duration delay, std::function<void()> callback) override;
  void cancel(TimerId id) override;

  /// Advances time by `by`, and runs every timer that falls due on the way, also those that callbacks add. Timers due
  /// at the same instant run in the order of their creation.
  void advance(Duration by);
  /// The number of timers that have not fired.
  std::size_t pending() const { return timers_.size(); }

 private:
  std::atomic<TimePoint> now_{TimePoint{std::chrono::hours(1)}};  // other threads may read it
  TimerId next_id_ = 1;
  std::map<std::pair<TimePoint, TimerId>, std::function<void()>> timers_;
};

}  // namespace meshdns
