#include "common/time/system_clock.h"

namespace meshdns {

TimePoint SystemClock::now() const { return std::chrono::steady_clock::now(); }

std::int64_t SystemClock::unix_seconds() const {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::unix_millis() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970()).count();
}

Duration SystemClock::since_1970() { return std::chrono::system_clock::now().time_since_epoch(); }

}  // namespace meshdns
