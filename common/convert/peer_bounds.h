#pragma once

#include "common/time/time.h"

/// Bounds of the durations that peers send. A duration beyond a bound is replaced by the bound, so that a faulty or
/// hostile peer cannot stop this side for longer, and sums with it cannot overflow.
namespace meshdns::convert {

/// Bound of Goodbye.retry_after: the longest time after which a peer that was sent away connects again.
inline constexpr Duration kLongestRetry = 5min;
/// Bound of in_state: how long a state may have lasted.
inline constexpr Duration kLongestState = std::chrono::hours(24 * 366 * 10);
/// Bound of drain_left: how far away the end of a drain may be.
inline constexpr Duration kLongestDrain = std::chrono::hours(24 * 7);
/// Bounds of Settings.heartbeat. A federation with 100,000 agents that is eight times too slow asks for 400 s.
inline constexpr Duration kShortestHeartbeat = 10ms;
inline constexpr Duration kLongestHeartbeat = 10min;
/// Bounds of Target.interval: the time between two measurements of a target.
inline constexpr Duration kShortestInterval = 1s;
inline constexpr Duration kLongestInterval = 1h;

}  // namespace meshdns::convert
