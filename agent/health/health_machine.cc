#include "agent/health/health_machine.h"

#include <algorithm>
#include <utility>

namespace meshdns::health {
namespace {

using model::HealthState;

constexpr Duration kFlapMemory = 10min;
constexpr unsigned kMaxRise = 16;
constexpr unsigned kMaxDoublings = 4;  // from 1 to kMaxRise
constexpr Duration kMaxFirstDelay = 200ms;

}  // namespace

HealthMachine::HealthMachine(CheckSettings settings, std::uint64_t seed, model::Health previous)
    : settings_(settings), random_(static_cast<std::minstd_rand::result_type>(seed)), health_(std::move(previous)) {
  health_.streak = 0;
  health_.in_doubt = false;
  if (health_.state == HealthState::Pending) health_.needed = settings_.fall;
  if (health_.state == HealthState::Serving) health_.needed = settings_.fall;
  if (health_.state == HealthState::Failing) health_.needed = settings_.rise;
}

bool HealthMachine::on_result(const ProbeResult& result, TimePoint now, bool last_healthy) {
  const model::Health before = health_;
  if (result.outcome == Outcome::Unknown) {
    on_unknown(result);
    return health_ != before;
  }
  unknowns_ = 0;
  if (result.outcome == Outcome::Success) {
    on_success(now, last_healthy);
  } else {
    on_failure(result, now, last_healthy);
  }
  return health_ != before;
}

// An Unknown result says nothing about the endpoint, so the state stays. But without checks the state grows old, so the
// endpoint becomes in doubt.
void HealthMachine::on_unknown(const ProbeResult& result) {
  unknowns_ = std::min(unknowns_ + 1, settings_.fall);
  if (unknowns_ < settings_.fall || health_.streak > 0) return;
  if (health_.state == HealthState::Serving) health_.in_doubt = true;
  if (health_.state != HealthState::Failing) health_.detail = "not checked: " + result.detail;
}

void HealthMachine::on_success(TimePoint now, bool last_healthy) {
  sure_failures_ = 0;
  if (health_.state == HealthState::Pending) return enter(HealthState::Serving, now);
  if (health_.state == HealthState::Serving) {
    health_.streak = 0;
    health_.in_doubt = false;
    health_.detail.clear();
    return;
  }
  // The detail stays until the endpoint serves again: it is the reason why the endpoint is failing.
  health_.in_doubt = true;
  health_.needed = needed_successes(now, last_healthy);
  if (++health_.streak < health_.needed) return;
  count_change(now);
  enter(HealthState::Serving, now);
}

void HealthMachine::on_failure(const ProbeResult& result, TimePoint now, bool last_healthy) {
  health_.detail = result.detail;
  weigh(result);
  if (health_.state == HealthState::Pending) {
    health_.streak = std::min(health_.streak + 1, settings_.fall);
    return;
  }
  if (health_.state != HealthState::Serving) {
    health_.streak = 0;
    health_.in_doubt = false;
    if (health_.state == HealthState::Failing) health_.doubtful = sure_failures_ < settings_.fall;
    return;
  }
  ++health_.streak;
  health_.in_doubt = true;
  if (!falls(result)) return;
  count_change(now);
  enter(HealthState::Failing, now);
  health_.detail = result.detail;
  health_.doubtful = sure_failures_ < settings_.fall;
  health_.needed = needed_successes(now, last_healthy);
}

bool HealthMachine::falls(const ProbeResult& result) const {
  const bool socket_gone = result.outcome == Outcome::Refused && result.after_event;
  return socket_gone || health_.streak >= settings_.fall;
}

void HealthMachine::enter(HealthState state, TimePoint now) {
  health_ = {.state = state, .since = now, .needed = settings_.fall};
}

void HealthMachine::count_change(TimePoint now) {
  flaps_ = changed_ && now - *changed_ < kFlapMemory ? flaps_ + 1 : 0;
  changed_ = now;
}

// A single refusal is proof, because the host has answered. A timeout while the agent itself is late proves nothing.
void HealthMachine::weigh(const ProbeResult& failure) {
  if (failure.outcome == Outcome::Refused) {
    sure_failures_ = settings_.fall;
  } else if (failure.outcome == Outcome::Timeout && failure.late) {
    sure_failures_ = 0;
  } else {
    sure_failures_ = std::min(sure_failures_ + 1, settings_.fall);
  }
}

unsigned HealthMachine::needed_successes(TimePoint now, bool last_healthy) const {
  if (last_healthy || !changed_ || now - *changed_ >= kFlapMemory) return settings_.rise;
  const unsigned doubled = settings_.rise << std::min(flaps_, kMaxDoublings);
  return std::max(settings_.rise, std::min(kMaxRise, doubled));
}

Duration HealthMachine::next_delay() {
  if (!std::exchange(started_, true)) return random_up_to(std::min(settings_.interval, kMaxFirstDelay));
  if (health_.streak > 0 && health_.streak < health_.needed)
    return std::min(settings_.edge_interval, settings_.interval);
  return settings_.interval - settings_.interval / 10 + random_up_to(settings_.interval / 5);
}

Duration HealthMachine::random_up_to(Duration bound) {
  return Duration(std::uniform_int_distribution<Duration::rep>(0, bound.count())(random_));
}

}  // namespace meshdns::health
