#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "common/time/time.h"

namespace meshdns::federation {

/// Decides which new sessions begin now, and when the others shall come back. Used by Agents. Pure.
///
/// How it works: one token bucket is for sessions whose records are known already (their digest matches), a slower one
/// for sessions that have to send everything. A session that finds no token is given the next free moment of its
/// bucket's queue, so that the agents that are sent away come back one after the other, not all at once. While the
/// control thread is late, no session is admitted that has to send everything.
/// source: docs/failures.md C1
class Admission {
 public:
  struct Rates {
    double known = 4000;  // sessions per second whose records are known
    double full = 2000;   // sessions per second that send everything
  };
  static constexpr Duration kLate = 1s;
  static constexpr Duration kSoonest = 100ms;
  static constexpr Duration kLatest = 15s;

  Admission() = default;
  explicit Admission(Rates rates) : buckets_{Bucket(rates.known), Bucket(rates.full)} {}

  /// Asks for a new session.
  /// late:    how late the control thread is
  /// returns: the time after which the agent shall come back; zero = the session begins now
  Duration ask(bool needs_full, Duration late, TimePoint now) {
    Bucket& bucket = buckets_[needs_full ? 1 : 0];
    const bool admitted = bucket.take(now) && !(needs_full && late >= kLate);
    if (admitted) return Duration::zero();
    return std::clamp(bucket.next_free(now, late) - now, kSoonest, kLatest);
  }

 private:
  class Bucket {
   public:
    explicit Bucket(double per_second) : per_second_(per_second), tokens_(per_second) {}

    bool take(TimePoint now) {
      const double seconds = std::chrono::duration<double>(now - filled_).count();
      tokens_ = std::min(per_second_, tokens_ + seconds * per_second_);  // at most the tokens of one second
      filled_ = now;
      if (tokens_ < 1) return false;
      tokens_ -= 1;
      return true;
    }
    /// Returns the next moment that no other agent was given, and gives it away.
    TimePoint next_free(TimePoint now, Duration late) {
      const auto each = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / per_second_));
      given_ = std::max(given_, now + late) + each;
      if (given_ - now > kLatest) given_ = now + kLatest / 2;  // many agents that were sent away never come back
      return given_;
    }

   private:
    double per_second_;
    double tokens_;
    TimePoint filled_{};
    TimePoint given_{};
  };

  std::array<Bucket, 2> buckets_{Bucket(Rates{}.known), Bucket(Rates{}.full)};
};

}  // namespace meshdns::federation
