#pragma once

#include <ctime>

#include <algorithm>
#include <limits>

namespace meshdns::test {

/// Returns the processor time that one call takes in this thread, in seconds: the least of five calls. A busy machine
/// hardly lengthens it, because waiting for the processor does not count.
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

/// The limit for the ratio of two costs when the size grows four times: a linear cost grows four times, a quadratic one
/// sixteen times.
inline constexpr double kMostForFourTimes = 10;

}  // namespace meshdns::test
