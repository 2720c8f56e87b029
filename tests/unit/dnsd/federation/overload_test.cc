#include <random>

#include "dnsd/federation/admission.h"
#include "dnsd/federation/load.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::Ge;
using testing::Le;

constexpr TimePoint kStart{1h};

// ---- Load ----

class LoadTest : public testing::Test {
 protected:
  void measure(Duration late, Duration span) {
    for (Duration done{}; done < span; done += 250ms) {
      now_ += 250ms;
      load_.measured(late, now_);
    }
  }

  Load load_;
  TimePoint now_ = kStart;
};

TEST_F(LoadTest, one_late_timer_is_no_load) {
  measure(300ms, 250ms);
  EXPECT_FALSE(load_.busy());
  EXPECT_EQ(load_.stretch(), 1);
}

TEST_F(LoadTest, lateness_that_lasts_stretches_the_interval_in_steps_up_to_a_bound) {
  measure(300ms, 2s);
  EXPECT_TRUE(load_.busy());
  EXPECT_GT(load_.stretch(), 1);
  const double early = load_.stretch();
  measure(300ms, 1s);
  EXPECT_DOUBLE_EQ(load_.stretch(), early * Load::kStep);
  measure(300ms, 1min);
  EXPECT_EQ(load_.stretch(), Load::kMost);
}

TEST_F(LoadTest, calm_takes_it_back_slowly_and_then_it_is_no_longer_busy) {
  measure(300ms, 3s);
  measure(0ms, 2s);
  const double most = load_.stretch();
  measure(0ms, 5s);
  EXPECT_EQ(load_.stretch(), most) << "not at once: the calm follows from the longer interval";
  measure(0ms, 2min);
  EXPECT_EQ(load_.stretch(), 1);
  EXPECT_FALSE(load_.busy());
}

TEST_F(LoadTest, between_calm_and_busy_nothing_changes) {
  measure(300ms, 3s);
  const double before = load_.stretch();
  measure(60ms, 500ms);
  measure(60ms, 5min);
  EXPECT_NEAR(load_.stretch(), before, before);
  EXPECT_TRUE(load_.busy());
}

// ---- Admission ----

TEST(AdmissionTest, a_seconds_worth_begins_at_once_and_the_others_get_moments_one_after_the_other) {
  Admission admission({.known = 40, .full = 10});
  std::vector<Duration> waits;
  for (int i = 0; i < 15; ++i) waits.push_back(admission.ask(true, 0ms, kStart));
  EXPECT_EQ(std::ranges::count(waits, Duration::zero()), 10);
  EXPECT_THAT(std::vector(waits.begin() + 10, waits.end()), ElementsAre(100ms, 200ms, 300ms, 400ms, 500ms));
}

TEST(AdmissionTest, agents_whose_records_are_known_do_not_wait_for_the_others) {
  Admission admission({.known = 40, .full = 10});
  for (int i = 0; i < 100; ++i) admission.ask(true, 0ms, kStart);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(admission.ask(false, 0ms, kStart), Duration::zero());
  EXPECT_GT(admission.ask(false, 0ms, kStart), Duration::zero());
}

TEST(AdmissionTest, a_late_control_thread_takes_nobody_who_sends_everything) {
  Admission admission({.known = 40, .full = 10});
  EXPECT_THAT(admission.ask(true, Admission::kLate, kStart), Ge(Admission::kLate));
  EXPECT_EQ(admission.ask(false, Admission::kLate, kStart), Duration::zero());
}

// Guards a storm: all that come back when they were told to are in within the time that the rate allows.
TEST(AdmissionTest, ten_thousand_that_come_back_when_they_are_told_are_all_admitted_in_time) {
  Admission admission({.known = 4000, .full = 2000});
  std::multimap<TimePoint, int> coming;
  for (int i = 0; i < 10000; ++i) coming.emplace(kStart, i);
  int asked = 0;
  TimePoint last = kStart;
  while (!coming.empty()) {
    const auto [at, agent] = *coming.begin();
    coming.erase(coming.begin());
    ASSERT_LT(++asked, 40000);
    const Duration wait = admission.ask(true, 0ms, at);
    EXPECT_THAT(wait, Le(Admission::kLatest));
    if (wait > Duration::zero()) coming.emplace(at + wait, agent);
    last = at;
  }
  EXPECT_THAT(last - kStart, Le(6s));
}

// ---- agents ----

class OverloadTest : public FederationTest {};

TEST_F(OverloadTest, sessions_beyond_the_rate_are_told_when_to_come_back) {
  Agents agents{{catalog_, clock_, clock_, "eu-1/a", [] {}, {}, {}, {.known = 3, .full = 2}}};
  std::vector<std::unique_ptr<FakeAgent>> all;
  int welcomed = 0;
  for (int i = 0; i < 5; ++i) {
    FakeAgent& agent = *all.emplace_back(std::make_unique<FakeAgent>(agents));
    agent.hello({.node = "n" + std::to_string(i)});
    welcomed += agent.welcomed() ? 1 : 0;
    if (agent.welcomed()) continue;
    EXPECT_EQ(agent.heard().goodbye().reason(), v1::Goodbye::OVERLOADED);
    EXPECT_GT(convert::from_wire(agent.heard().goodbye().retry_after()), Duration::zero());
  }
  EXPECT_EQ(welcomed, 2);
  EXPECT_EQ(agents.counters().deferred, 3U);
  EXPECT_EQ(catalog_.records().nodes.size(), 2U) << "who has to come back is not there yet";
  clock_.advance(2s);
  FakeAgent again(agents);
  again.hello({.node = "n4"});
  EXPECT_TRUE(again.welcomed());
  again.end();
  for (const auto& agent : all) agent->end();
}

TEST_F(OverloadTest, an_agent_hears_of_another_interval_with_its_next_message) {
  FakeAgent& agent = connected({}, {.node = "n0"});
  for (int i = 1; i < 4000; ++i) connect().hello({.node = "n" + std::to_string(i)});
  advance(1s);
  agent.heartbeat();
  ASSERT_TRUE(agent.heard().has_settings());
  EXPECT_EQ(convert::from_wire(agent.heard().settings().heartbeat()), agents_.leases().heartbeat());
  const auto said = agent.port().sent.size();
  agent.heartbeat();
  EXPECT_EQ(agent.port().sent.size(), said) << "it was told";
}

}  // namespace
}  // namespace meshdns::federation
