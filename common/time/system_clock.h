#pragma once

#include "common/time/time.h"

namespace meshdns {

/// The real clocks of the system.
class SystemClock : public Clock {
 public:
  TimePoint now() const override;
  std::int64_t unix_seconds() const override;
  std::int64_t unix_millis() const override;
  /// Returns the wall clock as exactly as the system knows it, for times that other programs compare with their own
  /// clocks.
  static Duration since_1970();
};

}  // namespace meshdns
