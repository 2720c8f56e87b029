#pragma once

#include <cstdint>
#include <optional>

#include "common/time/time.h"

namespace meshdns::app {

/// When to speak of a trouble that lasts: when it begins, once a minute, and when it is over. Pure.
class LastingTrouble {
 public:
  static constexpr Duration kReminder = 60s;
  enum class Say : std::uint8_t { Nothing, Begins, Lasts, Ends };

  Say observe(bool trouble, TimePoint now) {
    if (!trouble) {
      const bool ends = begun_.has_value();
      begun_.reset();
      return ends ? Say::Ends : Say::Nothing;
    }
    if (begun_ && now - told_ < kReminder) return Say::Nothing;
    const Say out = begun_ ? Say::Lasts : Say::Begins;
    if (!begun_) begun_ = now;
    told_ = now;
    return out;
  }
  /// Since when; the last one's beginning is gone with its end.
  std::optional<TimePoint> begun() const { return begun_; }

 private:
  std::optional<TimePoint> begun_;
  TimePoint told_{};
};

}  // namespace meshdns::app
