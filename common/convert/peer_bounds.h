#pragma once

#include "common/time/time.h"

/// The bounds of what peers say about time. Whatever is beyond counts as the bound: a peer that is wrong, or means ill,
/// cannot stop this side for longer, and nothing that follows overflows.
namespace meshdns::convert {

/// Of Goodbye.retry_after: a peer that has been sent away comes back at the latest after so long.
inline constexpr Duration kLongestRetry = 5min;
/// Of in_state: for how long a state is said to have lasted.
inline constexpr Duration kLongestState = std::chrono::hours(24 * 366 * 10);
/// Of drain_left: how far away the end of a drain is said to be.
inline constexpr Duration kLongestDrain = std::chrono::hours(24 * 7);
/// Of Settings.heartbeat: how often an agent is to be heard. A federation with 100,000 agents that is eight times too
/// slow says 400 s.
inline constexpr Duration kShortestHeartbeat = 10ms;
inline constexpr Duration kLongestHeartbeat = 10min;
/// Of Target.interval: how often a target is to be measured.
inline constexpr Duration kShortestInterval = 1s;
inline constexpr Duration kLongestInterval = 1h;

}  // namespace meshdns::convert
