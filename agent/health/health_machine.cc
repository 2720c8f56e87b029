#include "agent/health/health_machine.h"

#include <algorithm>
#include <utility>

#include "common/base/utf8.h"
#include "common/model/limits.h"

namespace meshdns::health {
namespace {

using model::HealthState;

constexpr Duration kFlapMemory = 10min;
constexpr unsigned kMaxRise = 16;
constexpr unsigned kMaxDoublings = 4;  // from 1 to kMaxRise

std::string kept_detail(const std::string& detail) { return std::string(utf8_prefix(detail, model::kLongestDetail)); }

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
  if (is_success(result.outcome)) {
    on_success(result, now, last_healthy);
  } else {
    on_failure(result, now, last_healthy);
  }
  return health_ != before;
}

// An Unknown result says nothing about the endpoint, so the state stays. But without checks the state grows old, so the
// endpoint becomes in doubt.
void HealthMachine::on_unknown(const ProbeResult& result) {
  if (result.pending && health_.state == HealthState::Pending) {
    health_.detail = kept_detail(result.detail);
    return;
  }
  unknowns_ = std::min(unknowns_ + 1, settings_.fall);
  if (unknowns_ < settings_.fall || health_.streak > 0) return;
  if (health_.state == HealthState::Serving) health_.in_doubt = true;
  if (health_.state != HealthState::Failing) health_.detail = kept_detail("not checked: " + result.detail);
}

/// Takes a success of an endpoint that serves.
void HealthMachine::keep_serving(const ProbeResult& success) {
  const bool warned = success.outcome == Outcome::Warning;
  health_.streak = 0;
  health_.in_doubt = warned;
  health_.detail = warned ? kept_detail(success.detail) : "";
}

void HealthMachine::on_success(const ProbeResult& result, TimePoint now, bool last_healthy) {
  sure_failures_ = 0;
  if (health_.state == HealthState::Pending) enter(HealthState::Serving, now);
  if (health_.state == HealthState::Serving) return keep_serving(result);
  // The detail stays until the endpoint serves again: it is the reason why the endpoint is failing.
  health_.in_doubt = true;
  health_.needed = needed_successes(now, last_healthy);
  health_.streak += result.certain ? settings_.rise : 1;
  if (health_.streak < health_.needed) return;
  count_change(now);
  enter(HealthState::Serving, now);
  keep_serving(result);
}

void HealthMachine::on_failure(const ProbeResult& result, TimePoint now, bool last_healthy) {
  health_.detail = kept_detail(result.detail);
  weigh(result);
  if (health_.state == HealthState::Pending) {
    health_.streak = result.certain ? settings_.fall : std::min(health_.streak + 1, settings_.fall);
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
  health_.detail = kept_detail(result.detail);
  health_.doubtful = sure_failures_ < settings_.fall;
  health_.needed = needed_successes(now, last_healthy);
}

bool HealthMachine::falls(const ProbeResult& result) const {
  const bool socket_gone = result.outcome == Outcome::Refused && result.after_event;
  return socket_gone || result.certain || health_.streak >= settings_.fall;
}

void HealthMachine::enter(HealthState state, TimePoint now) {
  health_ = {.state = state, .since = now, .needed = settings_.fall};
}

void HealthMachine::count_change(TimePoint now) {
  flaps_ = changed_ && now - *changed_ < kFlapMemory ? flaps_ + 1 : 0;
  changed_ = now;
}

// A single refusal is proof, because the host has answered; so is what the endpoint says of itself. A timeout while the
// agent itself is late proves nothing.
void HealthMachine::weigh(const ProbeResult& failure) {
  if (failure.outcome == Outcome::Refused || failure.certain) {
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

Duration HealthMachine::next_delay(Duration first_within) {
  if (!std::exchange(started_, true)) return random_up_to(std::min(settings_.interval, first_within));
  if (is_at_edge()) return std::min(settings_.edge_interval, settings_.interval);
  return settings_.interval - settings_.interval / 10 + random_up_to(settings_.interval / 5);
}

Duration HealthMachine::random_up_to(Duration bound) {
  return Duration(std::uniform_int_distribution<Duration::rep>(0, bound.count())(random_));
}

}  // namespace meshdns::health
