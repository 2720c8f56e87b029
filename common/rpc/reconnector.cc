#include "common/rpc/reconnector.h"

#include <algorithm>
#include <utility>

namespace meshdns::rpc {

Reconnector::Reconnector(Timers& timers, std::vector<std::string> servers, std::uint64_t seed,
                         std::function<void()> open)
    : timers_(timers), servers_(std::move(servers)), open_(std::move(open)), backoff_(seed), log_(servers_.size()) {}

Reconnector::Failure Reconnector::ended(bool was_connected, Duration least_delay) {
  if (was_connected) {
    connected();
    log_.succeeded();
  }
  Failure out{server(), std::max(backoff_.next(), least_delay)};
  out.logged = was_connected || log_.failed(out.delay);
  ++next_server_;
  stop();
  timer_ = timers_.after(out.delay, [this] {
    timer_.reset();
    open_();
  });
  return out;
}

void Reconnector::hurry() {
  if (!timer_) return;
  stop();
  open_();
}

void Reconnector::stop() {
  if (timer_) timers_.cancel(*timer_);
  timer_.reset();
}

}  // namespace meshdns::rpc
