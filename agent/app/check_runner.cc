#include "agent/app/check_runner.h"

#include <algorithm>

namespace meshdns::agent::app {
namespace {

constexpr std::size_t kShareOfEvents = 8;  // an eighth of the runs

/// How far a check overtakes those that wait already.
Duration head_start(Why why) {
  switch (why) {
    case Why::Event: return 48h;
    case Why::News: return 24h;
    case Why::Edge: return CheckRunner::kEdgeHeadStart;
    case Why::Interval: break;
  }
  return Duration::zero();
}

}  // namespace

Check::Check(CheckRunner& r, Watched& o, const IpAddress& a, const discovery::CheckSpec& s, health::HealthMachine m)
    : runner(r), owner(o), address(a), spec(&s), machine(std::move(m)), number(r.next_number_++) {
  if (probes::is_per_family(spec->what)) family = address.family();
}

Check::~Check() {
  runner.stop(*this);
  runner.parts_.gone(number);
}

CheckRunner::CheckRunner(const Clock& clock, Timers& timers, Limits limits, Parts parts)
    : clock_(clock), timers_(timers), limits_(limits), parts_(std::move(parts)) {}

CheckRunner::~CheckRunner() {
  if (timer_) timers_.cancel(*timer_);
}

void CheckRunner::begin(Check& check, Duration within) {
  plan(check, clock_.now() + check.machine.next_delay(within), Why::Interval);
}

void CheckRunner::go_on(Check& check) {
  const TimePoint now = clock_.now();
  if (const auto again = std::exchange(check.again, std::nullopt)) {
    // From the timer, because this is called from inside the probe.
    return plan(check, *again == Why::News ? std::max(now, check.started + kNewsApart) : now, *again);
  }
  const Duration delay = check.machine.next_delay();
  plan(check, now + delay, check.machine.is_at_edge() ? Why::Edge : Why::Interval);
}

void CheckRunner::run_at_once(Check& check, Why why) {
  if (check.running) {
    const bool is_superseded = why == Why::Event && check.why != Why::Event;
    if (!is_superseded) {
      check.again = std::min(check.again.value_or(why), why);
      return;
    }
    end_run(check);
  }
  // A connection that is kept may outlive the listener, and would answer for it.
  if (why == Why::Event) {
    check.probe.reset();
    hold(check, 0);
  }
  if (check.queued && check.why <= why) return;
  unplan(check);
  leave_queue(check);
  begin_run(check, why, Duration::zero());
}

void CheckRunner::on_news(Check& check) {
  const TimePoint earliest = check.started + kNewsApart;
  if (check.running || check.queued || clock_.now() >= earliest) return run_at_once(check, Why::News);
  plan(check, earliest, Why::News);
}

void CheckRunner::stop(Check& check) {
  unplan(check);
  leave_queue(check);
  if (check.running) end_run(check);
  check.probe.reset();
  hold(check, 0);
  check.again.reset();
  // From the timer, because the next in the queue may be about to be destroyed too.
  if (!queue_.empty()) return wake_at(clock_.now());
  if (planned_.empty() && timer_) timers_.cancel(*std::exchange(timer_, std::nullopt));
}

void CheckRunner::plan(Check& check, TimePoint at, Why why) {
  unplan(check);
  check.planned = at;
  check.why = why;
  planned_.emplace(std::pair(at, check.number), &check);
  wake_at(planned_.begin()->first.first);
}

void CheckRunner::unplan(Check& check) {
  if (!check.planned) return;
  planned_.erase({*check.planned, check.number});
  check.planned.reset();
}

void CheckRunner::leave_queue(Check& check) {
  if (!check.queued) return;
  queue_.erase({check.turn, check.number});
  check.queued.reset();
}

void CheckRunner::wake_at(TimePoint at) {
  if (timer_ && wake_ <= at) return;
  if (timer_) timers_.cancel(*timer_);
  wake_ = at;
  timer_ = timers_.after(std::max(at - clock_.now(), Duration::zero()), [this] {
    timer_.reset();
    on_timer();
  });
}

void CheckRunner::on_timer() {
  start_waiting();
  const TimePoint now = clock_.now();
  while (!planned_.empty() && planned_.begin()->first.first <= now + kTogether) {
    Check& check = *planned_.begin()->second;
    const Duration lag = std::max(now - *check.planned, Duration::zero());
    planned_.erase(planned_.begin());
    check.planned.reset();
    begin_run(check, check.why, lag);
  }
  if (!planned_.empty()) wake_at(planned_.begin()->first.first);
}

void CheckRunner::begin_run(Check& check, Why why, Duration lag) {
  check.why = why;
  check.lag = lag;
  if (may_start(check)) return start(check);
  check.queued = clock_.now();
  check.turn = *check.queued - head_start(why);
  queue_.emplace(std::pair(check.turn, check.number), &check);
}

bool CheckRunner::may_start(const Check& check) const {
  if (running_ == 0) return true;
  const bool is_urgent = check.why <= Why::News;
  const std::size_t kept = is_urgent ? 0 : limits_.in_flight / kShareOfEvents;
  if (running_ >= limits_.in_flight - kept) return false;
  const std::size_t needed = probes::descriptors_of(check.spec->what).running;
  return held_ - check.holds + needed <= limits_.descriptors;
}

/// Starts the check's probe. If the agent is late itself the probe gets more time, because its answer may arrive in
/// time and wait to be read.
void CheckRunner::start(Check& check) {
  const Duration timeout = check.spec->settings.timeout;
  check.started = clock_.now();
  check.late = check.lag > timeout / 2;
  check.timeout = check.late ? timeout + std::min(check.lag, timeout) : timeout;
  check.again.reset();
  check.running = true;
  ++running_;
  hold(check, probes::descriptors_of(check.spec->what).running);
  if (!check.probe) {
    check.probe = parts_.make_probe(check);
    check.probe->watch([this, &check] { on_news(check); });
  }
  if (check.why == Why::Event) check.probe->reconnect();
  check.probe->run(check.timeout, [this, &check](health::ProbeResult result) { on_done(check, std::move(result)); });
}

void CheckRunner::start_waiting() {
  while (!queue_.empty() && may_start(*queue_.begin()->second)) {
    Check& check = *queue_.begin()->second;
    leave_queue(check);
    start(check);
  }
}

void CheckRunner::end_run(Check& check) {
  check.probe.reset();
  check.running = false;
  --running_;
}

void CheckRunner::on_done(Check& check, health::ProbeResult result) {
  const TimePoint now = clock_.now();
  check.running = false;
  --running_;
  hold(check, probes::descriptors_of(check.spec->what).kept);
  check.latency = now - check.started;
  check.last_started = check.started;
  ++check.runs;
  const bool ended_late = check.latency > check.timeout + check.spec->settings.timeout / 2;
  result.late = check.late || ended_late;
  result.after_event = check.why == Why::Event;
  check.last = std::move(result);
  parts_.ended(check, *check.last);
  start_waiting();
}

void CheckRunner::hold(Check& check, std::size_t descriptors) {
  held_ += descriptors - check.holds;
  check.holds = descriptors;
}

Duration CheckRunner::longest_wait() const {
  Duration out{};
  for (const auto& [turn, check] : queue_) out = std::max(out, clock_.now() - *check->queued);
  return out;
}

bool CheckRunner::lacks_descriptors() const {
  return !queue_.empty() && running_ < limits_.in_flight - limits_.in_flight / kShareOfEvents;
}

}  // namespace meshdns::agent::app
