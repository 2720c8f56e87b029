#include "agent/probes/ttl_probe.h"

#include <algorithm>
#include <utility>

#include "common/time/duration_text.h"

namespace meshdns::probes {
namespace {

constexpr Duration kOnTime = 100ms;  // a timer that fires later than this shows that the agent was held up

}  // namespace

TtlProbe::TtlProbe(const Parts& parts, std::string endpoint, TtlCheck check)
    : parts_(parts), endpoint_(std::move(endpoint)), check_(check) {
  listening_ = parts_.pushes.listen(endpoint_, [this] {
    wait_for_end();
    if (news_) news_();
  });
  wait_for_end();
}

TtlProbe::~TtlProbe() {
  if (answer_) parts_.timers.cancel(*answer_);
  if (end_timer_) parts_.timers.cancel(*end_timer_);
}

/// Sets the timer for the moment at which the last push expires.
void TtlProbe::wait_for_end() {
  if (end_timer_) parts_.timers.cancel(*end_timer_);
  end_timer_.reset();
  const auto push = parts_.pushes.last(endpoint_);
  if (!push) return;
  const TimePoint end = push->at + check_.ttl;
  holds_until_ = end;
  if (end <= parts_.clock.now()) return;
  end_timer_ = parts_.timers.after(end - parts_.clock.now(), [this, end] {
    end_timer_.reset();
    const Duration late = std::min(parts_.clock.now() - end, check_.ttl);
    if (late <= kOnTime) {
      if (news_) news_();
      return;
    }
    holds_until_ = parts_.clock.now() + late;
    end_timer_ = parts_.timers.after(late, [this] {
      end_timer_.reset();
      if (news_) news_();
    });
  });
}

health::ProbeResult TtlProbe::result() const {
  const auto push = parts_.pushes.last(endpoint_);
  if (!push || !holds_until_) {
    return {
        .outcome = health::Outcome::Unknown, .detail = "the service has not pushed its health yet", .pending = true};
  }
  // a timer that is still to come may be late itself, and knows by how much
  const bool holds = end_timer_ || parts_.clock.now() < *holds_until_;
  if (holds) return {.outcome = push->outcome, .detail = push->detail, .certain = true};
  return {
      .outcome = health::Outcome::Failure, .detail = "no push within " + duration_text(check_.ttl), .certain = true};
}

void TtlProbe::run(Duration /*timeout*/, Done done) {
  if (answer_) parts_.timers.cancel(*answer_);
  answer_ = parts_.timers.after(Duration::zero(), [this, call = std::move(done)] {
    answer_.reset();
    call(result());
  });
}

void TtlProbe::watch(std::function<void()> news) { news_ = std::move(news); }

}  // namespace meshdns::probes
