#include "common/time/sim_clock.h"

#include <algorithm>

namespace meshdns {

namespace {
constexpr std::int64_t kSimulatedStart = 1'700'000'000;  // unix seconds at now() == 0
}

std::int64_t SimClock::unix_seconds() const {
  return kSimulatedStart + std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count();
}

TimerId SimClock::after(Duration delay, std::function<void()> callback) {
  const TimerId id = next_id_++;
  timers_.emplace(std::pair(now() + std::max(delay, Duration::zero()), id), std::move(callback));
  return id;
}

void SimClock::cancel(TimerId id) {
  std::erase_if(timers_, [id](const auto& timer) { return timer.first.second == id; });
}

void SimClock::advance(Duration by) {
  const TimePoint end = now() + by;
  while (!timers_.empty() && timers_.begin()->first.first <= end) {
    auto timer = timers_.extract(timers_.begin());
    now_ = std::max(now(), timer.key().first);
    timer.mapped()();
  }
  now_ = end;
}

}  // namespace meshdns
