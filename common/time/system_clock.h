#pragma once

#include "common/time/time.h"

namespace meshdns {

class SystemClock : public Clock {
 public:
  TimePoint now() const override;
  std::int64_t unix_seconds() const override;
  std::int64_t unix_millis() const override;
  /// Wall clock, as exactly as it is known; for what other programs compare with their own clocks.
  static Duration since_1970();
};

}  // namespace meshdns
