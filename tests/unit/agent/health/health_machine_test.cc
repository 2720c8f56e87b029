#include "agent/health/health_machine.h"

#include <gtest/gtest.h>

#include <set>

namespace meshdns::health {
namespace {

using model::HealthState;

constexpr TimePoint kStart{1h};
const ProbeResult kSuccess{Outcome::Success};
const ProbeResult kRefused{Outcome::Refused, "connection refused"};

TEST(HealthMachine, the_first_check_comes_at_random_within_200_ms) {
  std::set<Duration> delays;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    delays.insert(HealthMachine({}, seed).next_delay());
    EXPECT_LE(HealthMachine({.interval = 100ms}, seed).next_delay(), 100ms) << "seed " << seed;
  }
  EXPECT_LE(*delays.rbegin(), 200ms);
  EXPECT_GT(delays.size(), 20U);
}

TEST(HealthMachine, the_interval_is_spread_by_10_percent_to_both_sides) {
  HealthMachine machine({}, 1);
  machine.next_delay();
  std::set<Duration> delays;
  for (int i = 0; i < 200; ++i) delays.insert(machine.next_delay());
  EXPECT_GE(*delays.begin(), 4500ms);
  EXPECT_LT(*delays.begin(), 4700ms);
  EXPECT_LE(*delays.rbegin(), 5500ms);
  EXPECT_GT(*delays.rbegin(), 5300ms);
}

TEST(HealthMachine, an_interval_below_the_edge_interval_stays) {
  HealthMachine machine({.interval = 500ms}, 1);
  machine.next_delay();
  machine.on_result(kSuccess, kStart, false);
  machine.on_result(kRefused, kStart, false);
  EXPECT_EQ(machine.next_delay(), 500ms);
}

TEST(HealthMachine, needed_is_what_changes_the_state) {
  HealthMachine machine({.rise = 4, .fall = 5}, 1);
  EXPECT_EQ(machine.health().needed, 5U);
  machine.on_result(kSuccess, kStart, false);
  EXPECT_EQ(machine.health().needed, 5U);
  for (int i = 0; i < 5; ++i) machine.on_result(kRefused, kStart, false);
  EXPECT_EQ(machine.health().state, HealthState::Failing);
  EXPECT_EQ(machine.health().needed, 4U);
}

TEST(HealthMachine, a_rise_above_16_is_never_shortened) {
  HealthMachine machine({.rise = 20, .fall = 1}, 1);
  machine.on_result(kSuccess, kStart, false);
  for (int flap = 0; flap < 6; ++flap) {
    machine.on_result(kRefused, kStart, false);
    for (int i = 0; i < 19; ++i) machine.on_result(kSuccess, kStart, false);
    EXPECT_EQ(machine.health().state, HealthState::Failing);
    machine.on_result(kSuccess, kStart, false);
    EXPECT_EQ(machine.health().state, HealthState::Serving);
  }
}

TEST(HealthMachine, goes_on_from_what_was_published_when_its_check_is_replaced) {
  HealthMachine serving({}, 1, {.state = HealthState::Serving, .in_doubt = true, .since = kStart, .streak = 2});
  EXPECT_EQ(serving.health(), (model::Health{.state = HealthState::Serving, .since = kStart, .needed = 3}));
  HealthMachine failing({}, 1, {.state = HealthState::Failing, .detail = "http 503", .since = kStart});
  failing.on_result(kSuccess, kStart + 1s, false);
  EXPECT_EQ(failing.health().state, HealthState::Failing);
  EXPECT_EQ(failing.health().detail, "http 503");
  failing.on_result(kSuccess, kStart + 2s, false);
  EXPECT_EQ(failing.health().state, HealthState::Serving);
}

// docs/failures.md B10: one flip per 5 s; at most 3 changes in the first minute and one a minute afterwards.
TEST(HealthMachine, one_flip_per_5_s_changes_the_answers_rarely) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    HealthMachine machine({}, seed);
    Duration at = machine.next_delay();
    unsigned first_minute = 0;
    unsigned later = 0;
    auto state = HealthState::Serving;
    for (; at < 31min; at += machine.next_delay()) {
      machine.on_result(at / 5s % 2 == 0 ? kSuccess : kRefused, kStart + at, false);
      if (std::exchange(state, machine.health().state) != state) ++(at < 1min ? first_minute : later);
    }
    EXPECT_LE(first_minute, 3U) << "seed " << seed;
    EXPECT_LE(later, 30U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace meshdns::health
