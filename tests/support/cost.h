#pragma once

#include <ctime>

#include <algorithm>
#include <limits>

namespace meshdns::test {

/// Returns the processor time of this thread that one call takes, in seconds: the least of some calls. A busy machine
/// makes it hardly longer, because waiting for the processor does not count.
template <class Call>
double cpu_seconds(const Call& call) {
  const auto now = [] {
    std::timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  double least = std::numeric_limits<double>::max();
  for (int i = 0; i < 5; ++i) {
    const double begin = now();
    call();
    least = std::min(least, now() - begin);
  }
  return least;
}

/// Four times the size takes four times as long where the cost is linear, and sixteen times where it is quadratic.
inline constexpr double kMostForFourTimes = 10;

}  // namespace meshdns::test
