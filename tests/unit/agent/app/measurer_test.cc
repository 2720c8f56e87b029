#include "agent/app/measurer.h"

#include <gmock/gmock.h>

#include "common/time/sim_clock.h"
#include "tests/support/fakes/fake_probes.h"

namespace meshdns::agent::app {
namespace {

using health::Outcome;
using report::Measurement;
using report::MeasureTarget;
using report::Reach;
using testing::Each;
using testing::Field;

SocketAddress at(const std::string& text) { return SocketAddress::parse(text).value(); }

/// An agent whose thread was held up sees its timers fire when the clock is further already.
struct LateClock : Clock {
  explicit LateClock(const SimClock& clock) : sim(clock) {}
  TimePoint now() const override { return sim.now() + lag; }
  std::int64_t unix_seconds() const override { return sim.unix_seconds(); }

  const SimClock& sim;
  Duration lag{};
};

class MeasurerTest : public testing::Test {
 protected:
  SimClock sim;
  LateClock clock{sim};
  test::FakeProbes world{clock, sim};
  std::vector<Measurement> found;
  Measurer measurer{clock, sim, [this](const SocketAddress& where) { return world.make(where); },
                    [this](const Measurement& result) { found.push_back(result); }, 7};

  static MeasureTarget target(const std::string& address, Duration interval = 5s) {
    return {"gateway " + address, at(address), interval};
  }
  void serves(const std::string& address, Duration rtt = 12ms) {
    world.answers[at(address)] = {.outcome = Outcome::Success, .rtt = rtt};
  }
  Reach last() const { return found.back().reach; }
};

std::vector<std::string> keys_of(const std::vector<MeasureTarget>& targets) {
  std::vector<std::string> out;
  for (const MeasureTarget& each : targets) out.push_back(each.address.text());
  return out;
}

TEST(MeasurableTest, a_federation_cannot_make_agents_call_on_themselves_or_on_the_mesh) {
  std::vector<MeasureTarget> targets;
  for (const auto* text : {"10.1.0.1:8080", "127.0.0.1:8080", "[::1]:8080", "169.254.169.254:80", "[fe80::1]:80",
                           "224.0.0.1:80", "0.0.0.0:80", "255.255.255.255:80", "10.1.0.1:7400", "[fd00::1]:8080"})
    targets.push_back({text, at(text), 5s});
  EXPECT_THAT(keys_of(measurable(targets, Loopback::Refused, {7400})),
              testing::ElementsAre("10.1.0.1:8080", "[fd00::1]:8080"));
  EXPECT_THAT(keys_of(measurable(targets, Loopback::Allowed, {7400})),
              testing::ElementsAre("10.1.0.1:8080", "127.0.0.1:8080", "[::1]:8080", "[fd00::1]:8080"));
}

TEST_F(MeasurerTest, a_target_is_measured_soon_and_again_at_its_interval) {
  serves("10.1.0.1:8080");
  measurer.set_targets({target("10.1.0.1:8080")});
  sim.advance(2500ms);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], (Measurement{"gateway 10.1.0.1:8080", Reach::Connected, 12ms}));
  EXPECT_EQ(world.runs[0].timeout, 1s);
  sim.advance(10min);
  EXPECT_NEAR(static_cast<double>(found.size()), 120, 10);
  std::set<Duration> gaps;
  for (std::size_t i = 1; i < world.runs.size(); ++i) gaps.insert(world.runs[i].at - world.runs[i - 1].at);
  EXPECT_GT(gaps.size(), 2U) << "no jitter";
  EXPECT_GE(*gaps.begin(), 4500ms);
  EXPECT_LE(*gaps.rbegin(), 5750ms);  // a tick later
}

TEST_F(MeasurerTest, no_federation_can_make_it_connect_without_pause) {
  measurer.set_targets({target("10.1.0.1:8080", 0s)});
  sim.advance(1min);
  EXPECT_LE(world.runs.size(), 67U);
}

TEST_F(MeasurerTest, the_first_ones_are_spread) {
  std::vector<MeasureTarget> many;
  for (int i = 0; i < 64; ++i) many.push_back(target("10.1.0.1:" + std::to_string(8000 + i)));
  measurer.set_targets(many);
  sim.advance(3s);
  ASSERT_EQ(world.runs.size(), 64U);
  std::map<TimePoint, int> at_once;
  for (const auto& run : world.runs) ++at_once[run.at];
  for (const auto& [when, runs] : at_once) EXPECT_LT(runs, 20);
}

TEST_F(MeasurerTest, every_outcome_has_its_word) {
  measurer.set_targets({target("10.1.0.1:8080")});
  sim.advance(3s);
  EXPECT_EQ(last(), Reach::Refused);
  world.answers[at("10.1.0.1:8080")] = {Outcome::Failure, "no route to host"};
  sim.advance(6s);
  EXPECT_EQ(last(), Reach::NoRoute);
  world.answers[at("10.1.0.1:8080")] = {Outcome::Unknown, "out of file descriptors"};
  sim.advance(6s);
  EXPECT_EQ(last(), Reach::Skipped);
  world.answer_time = 1s;
  sim.advance(7s);
  EXPECT_EQ(last(), Reach::Timeout);
  EXPECT_THAT(found, Each(Field(&Measurement::rtt, Duration::zero())));
  EXPECT_EQ(measurer.counters(), (Measurer::Counters{0, 1, 1, 1, 1}));
}

TEST_F(MeasurerTest, a_kernel_that_does_not_tell_leaves_it_to_the_clock) {
  serves("10.1.0.1:8080", 0s);
  world.answer_time = 80ms;
  measurer.set_targets({target("10.1.0.1:8080")});
  sim.advance(3s);
  EXPECT_EQ(found.back().rtt, 80ms);
}

TEST_F(MeasurerTest, a_timeout_while_this_thread_was_held_up_is_skipped) {
  world.answer_time = 1s;
  measurer.set_targets({target("10.1.0.1:8080")});
  while (world.open == 0) sim.advance(10ms);
  sim.advance(400ms);
  clock.lag = 300ms;  // noticed by the next tick
  sim.advance(600ms);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(last(), Reach::Skipped);
  sim.advance(7s);  // as late as before: time runs as it should
  EXPECT_EQ(last(), Reach::Timeout);
}

TEST_F(MeasurerTest, a_connection_counts_however_late_it_is_seen_but_only_with_the_kernels_time) {
  for (const Duration kernel : {12ms, 0ms}) {
    serves("10.1.0.1:8080", kernel);
    world.answer_time = 500ms;
    measurer.set_targets({target("10.1.0.1:8080")});
    while (world.open == 0) sim.advance(10ms);
    found.clear();
    clock.lag += 5s;
    sim.advance(600ms);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], (Measurement{"gateway 10.1.0.1:8080", Reach::Connected, kernel}));
    measurer.set_targets({});
  }
}

TEST_F(MeasurerTest, what_contradicts_the_last_result_is_looked_at_again_soon) {
  serves("10.1.0.1:8080");
  measurer.set_targets({target("10.1.0.1:8080", 30s)});
  sim.advance(1min);
  world.answers.clear();
  found.clear();
  while (found.empty()) sim.advance(100ms);
  sim.advance(3s);
  EXPECT_EQ(found.size(), 3U);
  sim.advance(20s);
  EXPECT_EQ(found.size(), 3U);
}

TEST_F(MeasurerTest, measuring_follows_the_targets) {
  serves("10.1.0.1:8080");
  measurer.set_targets({target("10.1.0.1:8080"), target("10.1.0.2:8080")});
  sim.advance(3s);
  world.runs.clear();
  measurer.set_targets({target("10.1.0.1:8080"), target("10.1.0.3:8080")});
  sim.advance(2300ms);
  std::set<std::string> asked;
  for (const auto& run : world.runs) asked.insert(run.address.text());
  EXPECT_EQ(asked.count("10.1.0.2:8080"), 0U);
  EXPECT_EQ(asked.count("10.1.0.3:8080"), 1U);
  measurer.set_targets({});
  EXPECT_EQ(sim.pending(), 0U);
  world.runs.clear();
  sim.advance(1min);
  EXPECT_TRUE(world.runs.empty());
}

TEST_F(MeasurerTest, a_target_that_goes_while_it_is_asked_is_not_told) {
  world.answer_time = 500ms;
  measurer.set_targets({target("10.1.0.1:8080")});
  while (world.open == 0) sim.advance(10ms);
  measurer.set_targets({});
  sim.advance(5s);
  EXPECT_TRUE(found.empty());
  EXPECT_EQ(world.open, 0);
}

TEST_F(MeasurerTest, told_the_same_again_it_goes_on_as_before) {
  serves("10.1.0.1:8080");
  for (int i = 0; i < 600; ++i) {
    measurer.set_targets({target("10.1.0.1:8080")});
    sim.advance(100ms);
  }
  EXPECT_NEAR(static_cast<double>(found.size()), 12, 2);
}

}  // namespace
}  // namespace meshdns::agent::app
