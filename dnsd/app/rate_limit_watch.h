#pragma once

#include <cstdint>
#include <optional>

#include "common/time/time.h"

namespace meshdns::dnsd::app {

/// Detects when rate limiting of answers begins, and when it ends: after kQuiet without a limited answer. Pure.
class RateLimitWatch {
 public:
  enum class Edge : std::uint8_t { None, Began, Ended };
  static constexpr Duration kQuiet = 60s;

  /// Compares the counter of limited answers with that of the last call.
  /// limited: answers that were limited since the start
  /// returns: the edge that this call has detected
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
  std::optional<TimePoint> seen_;  // when the counter grew last; nothing = no limiting
};

}  // namespace meshdns::dnsd::app
