#include "agent/report/session.h"

#include <algorithm>
#include <utility>

namespace meshdns::report {

Session::Session(Syncer& syncer, const Clock& clock, Timers& timers, Line line)
    : syncer_(syncer), clock_(clock), timers_(timers), line_(std::move(line)) {}

Session::~Session() {
  cancel(heartbeat_timer_);
  cancel(write_timer_);
  syncer_.disconnected();
}

void Session::cancel(std::optional<TimerId>& timer) {
  if (timer) timers_.cancel(*timer);
  timer.reset();
}

void Session::begin() {
  syncer_.connected();
  pump();
}

void Session::received(const Incoming& message) {
  syncer_.on_message(message, clock_.now());
  pump();
}

void Session::written() {
  writing_ = false;
  cancel(write_timer_);
  pump();
}

void Session::pump() {
  if (!writing_) {
    if (const auto message = syncer_.next(clock_.now(), loop_lag_)) {
      writing_ = true;
      write_timer_ = timers_.after(kLongestWrite, [this] {
        write_timer_.reset();
        line_.abort();
      });
      line_.send(*message);
    }
  }
  set_heartbeat_timer();
}

void Session::set_heartbeat_timer() {
  const auto due = syncer_.next_due();
  cancel(heartbeat_timer_);
  if (!due || writing_) return;
  heartbeat_timer_ = timers_.after(std::max(Duration::zero(), *due - clock_.now()), [this, due = *due] {
    heartbeat_timer_.reset();
    loop_lag_ = std::max(Duration::zero(), clock_.now() - due);
    pump();
  });
}

}  // namespace meshdns::report
