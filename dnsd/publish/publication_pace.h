#pragma once

#include <algorithm>
#include <optional>

#include "common/time/time.h"

namespace meshdns::publish {

/// Decides when to publish: the first change at once, the next one after 10 ms or twice the cost of the last
/// publication, at most 250 ms after it began (docs/design.md section 5, "No timers in the path of a change"). So
/// publishing never takes more than about half of the time, unless one takes longer than 125 ms. Pure; the caller owns
/// clock and timer.
class PublicationPace {
 public:
  static constexpr Duration kShortest = 10ms;
  static constexpr Duration kLongest = 250ms;

  /// Returns how long a change seen at `now` has to wait for its publication; zero = publish at once.
  Duration wait(TimePoint now) const { return next_ && *next_ > now ? *next_ - now : Duration::zero(); }

  /// Notes that a publication began at `begun` and took `cost`.
  void published(TimePoint begun, Duration cost) { next_ = begun + std::clamp(2 * cost, kShortest, kLongest); }

 private:
  std::optional<TimePoint> next_;
};

}  // namespace meshdns::publish
