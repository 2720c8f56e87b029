#pragma once

#include <algorithm>
#include <optional>

#include "common/time/time.h"

namespace meshdns::publish {

/// When to publish: the first change at once, then at most every max(10 ms, 2 x the cost of the last publication),
/// capped at 250 ms (docs/design.md section 5, "No timers in the path of a change"). Pure; the caller owns clock and
/// timer.
class PublicationPace {
 public:
  static constexpr Duration kShortest = 10ms;
  static constexpr Duration kLongest = 250ms;

  /// How long a change seen at `now` has to wait for its publication; zero = publish at once.
  Duration wait(TimePoint now) const { return next_ && *next_ > now ? *next_ - now : Duration::zero(); }

  /// A publication began at `begun` and took `cost`.
  void published(TimePoint begun, Duration cost) { next_ = begun + std::clamp(2 * cost, kShortest, kLongest); }

 private:
  std::optional<TimePoint> next_;
};

}  // namespace meshdns::publish
