#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace meshdns {

/// Monotonic time. All durations are measured with it; wall-clock jumps change nothing (docs/failures.md B6).
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

using namespace std::chrono_literals;

/// The two clocks. Pure code gets `now` as an argument; only the rim sees a Clock.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  /// Wall clock, seconds since 1970; for epochs, serials and what people read. Never for durations.
  virtual std::int64_t unix_seconds() const = 0;
  /// The same in milliseconds, for what people read.
  virtual std::int64_t unix_millis() const { return unix_seconds() * 1000; }
};

using TimerId = std::uint64_t;

/// One-shot timers on one thread, that of the loop they belong to.
class Timers {
 public:
  virtual ~Timers() = default;
  virtual TimerId after(Duration delay, std::function<void()> callback) = 0;
  /// A timer that has fired or is unknown is ignored.
  virtual void cancel(TimerId id) = 0;
};

}  // namespace meshdns
