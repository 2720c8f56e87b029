#include "agent/app/check_runner.h"

#include <gmock/gmock.h>

#include <deque>

#include "agent/app/watched.h"
#include "common/time/sim_clock.h"
#include "tests/support/fakes/fake_probes.h"

namespace meshdns::agent::app {
namespace {

using health::Outcome;
using health::ProbeResult;
using testing::ElementsAre;

const IpAddress kHere = IpAddress::parse("10.0.0.1").value();

/// Checks of ports 1, 2, ..., whose probes end after world.answer_time.
class CheckRunnerTest : public testing::Test {
 protected:
  void begin(CheckRunner::Limits limits) {
    runner = std::make_unique<CheckRunner>(
        sim, sim, limits,
        CheckRunner::Parts{[this](const Check& check) { return world.make(check.address, *check.spec); },
                           [this](Check& check, const ProbeResult& result) {
                             check.machine.on_result(result, sim.now(), false);
                             runner->go_on(check);
                           },
                           [](std::uint64_t) {}});
  }
  Check& add(const discovery::CheckSpec& spec) {
    health::HealthMachine machine(spec.settings, checks.size() + 1);
    specs.push_back(spec);
    checks.push_back(std::make_unique<Check>(*runner, owner, kHere, specs.back(), std::move(machine)));
    runner->begin(*checks.back(), health::HealthMachine::kFirstWithin);
    return *checks.back();
  }
  Check& add(std::uint16_t port) { return add(test::FakeProbes::tcp(port)); }
  void add_many(int count) {
    for (int i = 0; i < count; ++i) add(static_cast<std::uint16_t>(i + 1));
  }
  void serves(std::uint16_t port) { world.answers[{kHere, port}] = {Outcome::Success}; }
  std::vector<int> ports_run() const {
    std::vector<int> out;
    for (const auto& run : world.runs) out.push_back(run.address.port);
    return out;
  }

  SimClock sim;
  test::FakeProbes world{sim, sim};
  Watched owner;
  std::unique_ptr<CheckRunner> runner;
  std::deque<discovery::CheckSpec> specs;
  std::vector<std::unique_ptr<Check>> checks;
};

TEST_F(CheckRunnerTest, never_runs_more_checks_than_it_may) {
  begin({.in_flight = 10});
  world.answer_time = 300ms;
  add_many(100);
  std::size_t most = 0;
  std::size_t most_waiting = 0;
  Duration longest{};
  for (int i = 0; i < 2000; ++i) {
    sim.advance(10ms);
    most = std::max(most, static_cast<std::size_t>(world.open));
    most_waiting = std::max(most_waiting, runner->waiting());
    longest = std::max(longest, runner->longest_wait());
    ASSERT_EQ(runner->running(), static_cast<std::size_t>(world.open));
  }
  EXPECT_EQ(most, 9U) << "one is kept for events";
  EXPECT_GT(most_waiting, 50U);
  EXPECT_GT(longest, 1s);
  for (const auto& check : checks) EXPECT_GE(check->runs, 3U) << "each has its turn";
}

TEST_F(CheckRunnerTest, a_bound_of_one_is_enough) {
  begin({.in_flight = 1});
  add_many(20);
  sim.advance(20s);
  for (const auto& check : checks) EXPECT_GE(check->runs, 4U);
  runner->run_at_once(*checks[0], Why::Event);
  sim.advance(2ms);
  EXPECT_EQ(world.runs.back().address.port, 1);
}

TEST_F(CheckRunnerTest, waiting_is_not_lateness_and_keeps_the_order) {
  begin({.in_flight = 1});
  world.answer_time = 1900ms;
  for (std::uint16_t port = 1; port <= 4; ++port) serves(port);
  add_many(4);
  sim.advance(200ms);
  world.runs.clear();
  ASSERT_EQ(runner->waiting(), 3U);
  sim.advance(6s);
  std::vector<int> order = ports_run();
  ASSERT_EQ(order.size(), 3U);
  for (const auto& run : world.runs) EXPECT_EQ(run.timeout, 2s) << "the whole timeout";
  for (const auto& check : checks) EXPECT_FALSE(check->last && check->last->late);
  world.runs.clear();
  sim.advance(40s);
  const std::vector<int> later = ports_run();
  ASSERT_GE(later.size(), 8U);
  for (std::size_t i = 0; i + 4 < later.size(); ++i) EXPECT_EQ(later[i], later[i + 4]) << "each after all others";
}

TEST_F(CheckRunnerTest, an_event_overtakes_all_and_has_turns_of_its_own) {
  begin({.in_flight = 8});
  world.answer_time = 1s;
  add_many(40);
  sim.advance(300ms);
  ASSERT_EQ(world.open, 7);
  world.runs.clear();
  const auto waits = [](const auto& check) { return check->queued.has_value(); };
  Check& last = **std::find_if(checks.rbegin(), checks.rend(), waits);
  runner->run_at_once(last, Why::Event);
  EXPECT_THAT(ports_run(), ElementsAre(probes::target_of(last.spec->what)->port))
      << "at once, in the turn that is kept for events";
  Check& next = **std::find_if(checks.rbegin(), checks.rend(), waits);
  runner->run_at_once(next, Why::Event);
  EXPECT_EQ(world.runs.size(), 1U) << "no turn is free";
  sim.advance(750ms);
  EXPECT_EQ(ports_run()[1], probes::target_of(next.spec->what)->port);
}

TEST_F(CheckRunnerTest, an_edge_check_overtakes_those_that_came_a_second_before_it) {
  begin({.in_flight = 1});
  world.answer_time = 900ms;
  for (std::uint16_t port = 1; port <= 6; ++port) serves(port);
  add_many(6);
  sim.advance(30s);
  world.answers.erase({kHere, 3});
  world.runs.clear();
  sim.advance(60s);
  const std::vector<int> order = ports_run();
  const auto third = std::count(order.begin(), order.end(), 3);
  const auto first = std::count(order.begin(), order.end(), 1);
  EXPECT_GT(third, first) << "results contradict its state for a while";
  EXPECT_GE(first, 8) << "and the others go on";
}

TEST_F(CheckRunnerTest, checks_hold_no_more_descriptors_than_they_may) {
  begin({.in_flight = 100, .descriptors = 5});
  world.answer_time = 500ms;
  add_many(30);
  for (int i = 0; i < 500; ++i) {
    sim.advance(10ms);
    ASSERT_LE(world.open, 5);
  }
  EXPECT_TRUE(runner->lacks_descriptors());
  for (const auto& check : checks) EXPECT_GE(check->runs, 1U);
}

TEST_F(CheckRunnerTest, one_check_always_may_run) {
  begin({.in_flight = 100, .descriptors = 1});
  const probes::GroupCheck all{.needed = 2,
                               .parts = {probes::TcpCheck{.to = {1, {}}}, probes::TcpCheck{.to = {2, {}}}}};
  EXPECT_EQ(probes::descriptors_of(all), (probes::Descriptors{.running = 2}));
  discovery::CheckSpec http{.what = probes::HttpCheck{.to = {7, {}}}};
  add(http);
  add(8);
  sim.advance(20s);
  EXPECT_GE(checks[0]->runs, 3U);
  EXPECT_GE(checks[1]->runs, 3U) << "though the first one keeps its connection";
}

TEST_F(CheckRunnerTest, checks_that_are_due_together_begin_together) {
  begin({});
  add_many(400);
  std::map<TimePoint, int> begun;
  sim.advance(200ms);
  for (const auto& run : world.runs) ++begun[run.at];
  EXPECT_EQ(world.runs.size(), 400U);
  EXPECT_LE(begun.size(), 41U) << "one wake in 5 ms";
}

TEST_F(CheckRunnerTest, intervals_stay_what_they_are) {
  begin({});
  for (std::uint16_t port = 1; port <= 50; ++port) serves(port);
  add_many(50);
  sim.advance(10min);
  for (const auto& check : checks) {
    EXPECT_GE(check->runs, 600 / 5.2);
    EXPECT_LE(check->runs, 600 / 4.8);
  }
}

TEST_F(CheckRunnerTest, news_run_the_check_at_once_but_not_without_end) {
  begin({});
  serves(1);
  Check& check = add(1);
  sim.advance(1s);
  world.runs.clear();
  runner->run_at_once(check, Why::News);
  EXPECT_EQ(world.runs.size(), 1U);
  runner->run_at_once(check, Why::News);
  sim.advance(CheckRunner::kNewsApart);
  EXPECT_EQ(world.runs.size(), 2U) << "what came during the run is looked at after it";
  sim.advance(1s);
  EXPECT_EQ(world.runs.size(), 2U);
}

TEST_F(CheckRunnerTest, a_check_that_is_gone_gives_its_turn_to_the_next) {
  begin({.in_flight = 1});
  world.answer_time = 1h;
  add_many(3);
  sim.advance(200ms);
  ASSERT_EQ(runner->waiting(), 2U);
  const auto running = std::find_if(checks.begin(), checks.end(), [](const auto& check) { return check->running; });
  checks.erase(running);
  sim.advance(0s);
  EXPECT_EQ(runner->waiting(), 1U);
  EXPECT_EQ(world.open, 1);
}

// No probe, timer or turn is left over, whatever happens in whatever order.
TEST_F(CheckRunnerTest, leaks_nothing_over_10000_random_steps) {
  begin({.in_flight = 3, .descriptors = 4});
  std::minstd_rand random(11);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() >> 8U) % bound; };
  std::uint16_t port = 1;
  for (int step = 0; step < 10'000; ++step) {
    world.answer_time = Duration(1ms) * static_cast<std::int64_t>(below(3000));
    switch (below(6)) {
      case 0: add(port++); break;
      case 1:
        if (checks.size() > 12) checks.erase(checks.begin() + static_cast<std::ptrdiff_t>(below(checks.size())));
        break;
      case 2:
        if (!checks.empty()) runner->run_at_once(*checks[below(checks.size())], Why::Event);
        break;
      case 3:
        if (!checks.empty()) runner->run_at_once(*checks[below(checks.size())], Why::News);
        break;
      case 4: serves(static_cast<std::uint16_t>(below(port))); break;
      default: sim.advance(Duration(1ms) * static_cast<std::int64_t>(below(400)));
    }
    ASSERT_LE(world.open, 3);
    ASSERT_EQ(runner->running(), static_cast<std::size_t>(world.open));
    const std::size_t planned_or_more =
        static_cast<std::size_t>(std::count_if(checks.begin(), checks.end(), [](const auto& check) {
          return static_cast<int>(check->running) + static_cast<int>(check->queued.has_value()) +
                     static_cast<int>(check->planned.has_value()) ==
                 1;
        }));
    ASSERT_EQ(planned_or_more, checks.size()) << "each check runs, waits or is planned";
    ASSERT_LE(sim.pending(), static_cast<std::size_t>(world.open) + 1) << "one timer besides those of the probes";
  }
  checks.clear();
  EXPECT_EQ(world.open, 0);
  EXPECT_EQ(sim.pending(), 0U);
}

}  // namespace
}  // namespace meshdns::agent::app
