#pragma once

#include <optional>
#include <utility>

#include "common/time/time.h"

namespace meshdns::log {

/// A trouble that lasts is told when it begins, once a minute while it lasts, and when it is over.
class Reminder {
 public:
  static constexpr Duration kInterval = 1min;

  /// The trouble is there: whether it is to be told now.
  bool due(TimePoint now) {
    if (told_ && now - *told_ < kInterval) return false;
    told_ = now;
    return true;
  }
  /// The trouble is over: whether it was there.
  bool ends() { return std::exchange(told_, std::nullopt).has_value(); }

 private:
  std::optional<TimePoint> told_;
};

}  // namespace meshdns::log
