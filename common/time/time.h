#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace meshdns {

/// Monotonic time. All durations are measured with it, so that jumps of the wall clock have no effect.
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

using namespace std::chrono_literals;

/// The monotonic clock and the wall clock. Pure code gets `now` as an argument; only code that owns sockets, threads or
/// timers uses a Clock.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  /// Returns the wall clock in seconds since 1970, for epochs, serials and texts. Never use it for durations.
  virtual std::int64_t unix_seconds() const = 0;
  /// Returns the wall clock in milliseconds since 1970.
  virtual std::int64_t unix_millis() const { return unix_seconds() * 1000; }
};

using TimerId = std::uint64_t;

/// One-shot timers, whose callbacks run on the thread of the loop that they belong to.
class Timers {
 public:
  virtual ~Timers() = default;
  virtual TimerId after(Duration delay, std::function<void()> callback) = 0;
  /// Cancels a timer: its callback is not called afterwards. A timer that has fired or is unknown is ignored.
  virtual void cancel(TimerId id) = 0;
};

}  // namespace meshdns
