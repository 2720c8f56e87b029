#include "dnsd/topology/slow_start.h"

#include <algorithm>

namespace meshdns::topology {
namespace {

constexpr std::int64_t kSteps = 10;
// Candidates that began to serve within this fraction of the window count as started together.
constexpr std::int64_t kTogether = 100;

/// Returns how many tenths of the window have passed since a candidate began to serve.
std::int64_t tenths(const Candidate& candidate, Duration window, TimePoint now) {
  return std::clamp<std::int64_t>((now - candidate.since) * kSteps / window, 0, kSteps);
}

/// Returns whether all serving candidates started together.
bool are_alike(const HostPlan& host) {
  TimePoint first = TimePoint::max();
  TimePoint last = TimePoint::min();
  for (const Candidate& candidate : host.candidates) {
    if (candidate.standing != Standing::Serving) continue;
    first = std::min(first, candidate.since);
    last = std::max(last, candidate.since);
  }
  return first >= last || last - first <= host.policy.slow_start / kTogether;
}

}  // namespace

std::optional<TimePoint> set_slow_start(HostPlan& host, TimePoint now) {
  for (Candidate& candidate : host.candidates) candidate.start = 100;
  const Duration window = host.policy.slow_start;
  if (window == Duration::zero() || are_alike(host)) return std::nullopt;
  std::optional<TimePoint> next;
  for (Candidate& candidate : host.candidates) {
    if (candidate.standing != Standing::Serving) continue;
    const std::int64_t passed = tenths(candidate, window, now);
    candidate.start = static_cast<std::uint8_t>(std::max<std::int64_t>(1, passed) * 100 / kSteps);
    if (passed == kSteps) continue;
    // the first tenth changes nothing: the share is at least one tenth from the start
    const TimePoint then = candidate.since + window * std::max<std::int64_t>(2, passed + 1) / kSteps;
    next = std::min(next.value_or(then), then);
  }
  return next;
}

}  // namespace meshdns::topology
