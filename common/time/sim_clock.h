#pragma once

#include <map>
#include <utility>

#include "common/time/time.h"

namespace meshdns {

/// Simulated time: stands still until advance() is called, which fires what falls due in order.
class SimClock : public Clock, public Timers {
 public:
  TimePoint now() const override { return now_; }
  std::int64_t unix_seconds() const override;

  TimerId after(Duration delay, std::function<void()> callback) override;
  void cancel(TimerId id) override;

  /// Fires every timer due within `by`, those that the callbacks add included; equal instants in order of creation.
  void advance(Duration by);
  std::size_t pending() const { return timers_.size(); }

 private:
  TimePoint now_{std::chrono::hours(1)};
  TimerId next_id_ = 1;
  std::map<std::pair<TimePoint, TimerId>, std::function<void()>> timers_;
};

}  // namespace meshdns
