#include "dnsd/topology/slow_start.h"

#include <algorithm>

namespace meshdns::topology {
namespace {

constexpr std::int64_t kSteps = 10;

/// How many tenths of the window have passed.
std::int64_t tenths(const Candidate& candidate, Duration window, TimePoint now) {
  return std::clamp<std::int64_t>((now - candidate.since) * kSteps / window, 0, kSteps);
}

}  // namespace

std::optional<TimePoint> set_slow_start(HostPlan& host, TimePoint now) {
  const Duration window = host.policy.slow_start;
  std::optional<TimePoint> next;
  std::size_t serving = 0;
  for (Candidate& candidate : host.candidates) {
    candidate.start = 100;
    if (candidate.standing != Standing::Serving) continue;
    ++serving;
    if (window == Duration::zero()) continue;
    const std::int64_t passed = tenths(candidate, window, now);
    candidate.start = static_cast<std::uint8_t>(std::max<std::int64_t>(1, passed) * 100 / kSteps);
    if (passed == kSteps) continue;
    // the first tenth is as good as none
    const TimePoint then = candidate.since + window * std::max<std::int64_t>(2, passed + 1) / kSteps;
    next = std::min(next.value_or(then), then);
  }
  return serving > 1 ? next : std::nullopt;
}

}  // namespace meshdns::topology
