#pragma once

#include <cstdint>
#include <optional>

#include "common/time/time.h"

namespace meshdns::app {

/// Sees when answers begin to be limited, and when that is over: after a minute without.
class RateLimitWatch {
 public:
  enum class Edge : std::uint8_t { None, Began, Ended };
  static constexpr Duration kQuiet = 60s;

  /// limited: how many answers were so far
  Edge look(std::uint64_t limited, TimePoint now) {
    if (limited != last_) {
      last_ = limited;
      const bool began = !seen_;
      seen_ = now;
      return began ? Edge::Began : Edge::None;
    }
    if (!seen_ || now - *seen_ < kQuiet) return Edge::None;
    seen_.reset();
    return Edge::Ended;
  }
  bool limiting() const { return seen_.has_value(); }

 private:
  std::uint64_t last_ = 0;
  std::optional<TimePoint> seen_;
};

}  // namespace meshdns::app
