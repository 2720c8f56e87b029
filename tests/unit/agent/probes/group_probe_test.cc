#include "agent/probes/group_probe.h"

#include <gmock/gmock.h>

#include <random>

#include "common/time/sim_clock.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;
using testing::ElementsAre;

const ProbeResult kSuccess{Outcome::Success};
const ProbeResult kRefused{Outcome::Refused, "connection refused"};
const ProbeResult kHttp{Outcome::Failure, "http 503"};
const ProbeResult kTimeout{Outcome::Timeout, "timeout after 2s"};
const ProbeResult kNoRoute{Outcome::Unknown, "no route"};
const ProbeResult kWarning{Outcome::Warning, "slow"};

ProbeResult sure(ProbeResult result) {
  result.certain = true;
  return result;
}

std::optional<ProbeResult> judged(std::size_t needed, const std::vector<std::optional<ProbeResult>>& results) {
  std::vector<GroupPart> parts;
  for (std::size_t i = 0; i < results.size(); ++i) parts.push_back({std::string(1, static_cast<char>('a' + i)), {}});
  return group_result(results, parts, needed);
}

TEST(GroupResult, enough_successes_are_a_success) {
  EXPECT_EQ(judged(2, {kSuccess, kSuccess}), kSuccess);
  EXPECT_EQ(judged(1, {kRefused, kSuccess}), kSuccess);
  EXPECT_EQ(judged(2, {kSuccess, kRefused, kSuccess}), kSuccess);
  EXPECT_EQ(judged(1, {kNoRoute, kSuccess}), kSuccess);
}

TEST(GroupResult, too_few_are_a_failure_with_the_details_of_all) {
  EXPECT_EQ(judged(2, {kHttp, kSuccess}), (ProbeResult{Outcome::Failure, "a: http 503"}));
  EXPECT_EQ(judged(1, {kRefused, kHttp}), (ProbeResult{Outcome::Failure, "a: connection refused; b: http 503"}));
  EXPECT_EQ(judged(2, {kHttp, kNoRoute}), (ProbeResult{Outcome::Failure, "a: http 503"})) << "whatever b had said";
}

TEST(GroupResult, what_unknown_parts_could_still_decide_is_unknown) {
  EXPECT_EQ(judged(2, {kSuccess, kNoRoute}), (ProbeResult{Outcome::Unknown, "b: no route"}));
  EXPECT_EQ(judged(1, {kHttp, kNoRoute}), (ProbeResult{Outcome::Unknown, "b: no route"}));
  ProbeResult pending = kNoRoute;
  pending.pending = true;
  EXPECT_TRUE(judged(2, {kSuccess, pending})->pending);
  EXPECT_FALSE(judged(3, {kSuccess, pending, kNoRoute})->pending);
}

TEST(GroupResult, a_warning_of_a_part_is_one_of_the_group) {
  EXPECT_EQ(judged(2, {kSuccess, kWarning}), (ProbeResult{Outcome::Warning, "b: slow"}));
}

// A refusal is proof, and a timeout of a late agent is none: the group's outcome is the weakest that was needed.
TEST(GroupResult, the_failure_is_what_decides) {
  EXPECT_EQ(judged(2, {kRefused, kSuccess})->outcome, Outcome::Refused);
  EXPECT_EQ(judged(1, {kRefused, kRefused})->outcome, Outcome::Refused);
  EXPECT_EQ(judged(1, {kRefused, kTimeout})->outcome, Outcome::Timeout);
  EXPECT_EQ(judged(2, {kRefused, kTimeout})->outcome, Outcome::Refused) << "the refusal alone is enough";
  EXPECT_EQ(judged(2, {kHttp, kTimeout})->outcome, Outcome::Failure);
  EXPECT_EQ(judged(1, {kRefused, sure(kHttp)})->outcome, Outcome::Refused) << "both are proof";
  EXPECT_EQ(judged(1, {kRefused, kHttp})->outcome, Outcome::Failure);
}

TEST(GroupResult, the_group_is_certain_if_the_certain_parts_decide) {
  EXPECT_TRUE(judged(1, {sure(kSuccess), kHttp})->certain);
  EXPECT_FALSE(judged(2, {sure(kSuccess), kSuccess})->certain);
  EXPECT_TRUE(judged(2, {sure(kHttp), kSuccess})->certain);
  EXPECT_FALSE(judged(2, {kHttp, sure(kSuccess)})->certain);
}

TEST(GroupResult, is_clear_as_soon_as_the_missing_parts_cannot_change_it) {
  EXPECT_EQ(judged(1, {std::nullopt, kSuccess}), kSuccess);
  EXPECT_EQ(judged(2, {std::nullopt, kRefused})->outcome, Outcome::Refused);
  EXPECT_EQ(judged(2, {std::nullopt, kSuccess}), std::nullopt);
  EXPECT_EQ(judged(1, {std::nullopt, kRefused}), std::nullopt);
  EXPECT_EQ(judged(2, {std::nullopt, kNoRoute}), std::nullopt);
}

/// Probes that end after a time with a result, and count themselves.
struct World {
  struct Answer {
    ProbeResult result;
    Duration after = 1ms;
  };

  class Fake : public Probe {
   public:
    Fake(World& world, std::size_t part) : world_(world), part_(part) { ++world_.alive; }
    ~Fake() override {
      if (timer_) world_.sim.cancel(*timer_);
      --world_.alive;
    }
    void run(Duration, Done done) override {
      ASSERT_FALSE(timer_) << "a probe that runs is not run again";
      ++world_.runs;
      timer_ = world_.sim.after(world_.answers[part_].after, [this, call = std::move(done)] {
        timer_.reset();
        call(world_.answers[part_].result);
      });
    }
    void watch(std::function<void()> news) override { world_.news[part_] = std::move(news); }
    void reconnect() override { ++world_.reconnected; }

   private:
    World& world_;
    std::size_t part_;
    std::optional<TimerId> timer_;
  };

  std::vector<GroupPart> parts() {
    std::vector<GroupPart> out;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      out.push_back({"p" + std::to_string(i), [this, i] { return std::make_unique<Fake>(*this, i); }});
    }
    return out;
  }

  SimClock sim;
  std::vector<Answer> answers;
  std::map<std::size_t, std::function<void()>> news;
  int alive = 0;
  int runs = 0;
  int reconnected = 0;
};

TEST(GroupProbe, runs_its_parts_together) {
  World world;
  world.answers = {{kSuccess, 30ms}, {kSuccess, 50ms}};
  GroupProbe group(world.parts(), 2);
  std::vector<ProbeResult> got;
  group.run(2s, [&](const ProbeResult& result) { got.push_back(result); });
  world.sim.advance(49ms);
  EXPECT_TRUE(got.empty());
  world.sim.advance(1ms);
  EXPECT_THAT(got, ElementsAre(kSuccess));
}

// Guards against a server that hangs and holds up for two seconds what the other part has known after one millisecond.
TEST(GroupProbe, a_part_that_hangs_does_not_hold_up_what_is_clear) {
  World world;
  world.answers = {{kRefused, 1ms}, {kSuccess, 2s}};
  GroupProbe group(world.parts(), 2);
  std::vector<ProbeResult> got;
  const auto done = [&](const ProbeResult& result) { got.push_back(result); };
  group.run(2s, done);
  world.sim.advance(1ms);
  EXPECT_THAT(got, ElementsAre(ProbeResult{Outcome::Refused, "p0: connection refused"}));
  EXPECT_EQ(world.alive, 1) << "the part that hangs is given up";
  world.answers[0].result = kSuccess;
  world.answers[1].after = 1ms;
  group.run(2s, done);
  world.sim.advance(5s);
  EXPECT_EQ(got.back(), kSuccess);
  EXPECT_EQ(got.size(), 2U);
}

TEST(GroupProbe, news_of_a_part_are_news_of_the_group_also_after_it_was_made_again) {
  World world;
  world.answers = {{kRefused, 1ms}, {kSuccess, 2s}};
  GroupProbe group(world.parts(), 2);
  unsigned news = 0;
  group.watch([&] { ++news; });
  world.news.at(0)();
  world.news.at(1)();
  EXPECT_EQ(news, 2U);
  group.run(2s, [](const ProbeResult&) {});
  world.sim.advance(1ms);
  world.news.clear();
  group.run(2s, [](const ProbeResult&) {});
  world.news.at(1)();
  EXPECT_EQ(news, 3U);
}

TEST(GroupProbe, its_parts_connect_anew_after_an_event) {
  World world;
  world.answers = {{kSuccess, 1ms}, {kSuccess, 1ms}};
  GroupProbe group(world.parts(), 2);
  group.reconnect();
  EXPECT_EQ(world.reconnected, 0) << "nothing is kept yet";
  group.run(2s, [](const ProbeResult&) {});
  world.sim.advance(1ms);
  group.reconnect();
  EXPECT_EQ(world.reconnected, 2);
}

// No probe and no timer is left over, and each run gives at most one result, in order.
TEST(GroupProbe, leaks_nothing_over_10000_runs_with_random_outcomes) {
  std::minstd_rand random(7);
  const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() >> 8U) % bound; };
  const std::vector<ProbeResult> all = {kSuccess, kRefused, kHttp, kTimeout, kNoRoute, kWarning, sure(kSuccess)};
  World world;
  world.answers.resize(4);
  {
    GroupProbe group(world.parts(), 2);
    unsigned results = 0;
    unsigned last = 0;
    for (unsigned run = 1; run <= 10'000; ++run) {
      for (auto& answer : world.answers) {
        answer = {all[below(static_cast<unsigned>(all.size()))], Duration(1ms) * static_cast<int>(below(5))};
      }
      group.run(2s, [&, run](const ProbeResult&) {
        EXPECT_LT(last, run);
        last = run;
        ++results;
      });
      world.sim.advance(Duration(1ms) * static_cast<int>(below(6)));  // some are replaced while they run
      ASSERT_LE(world.alive, 4);
      ASSERT_LE(world.sim.pending(), 4U);
    }
    EXPECT_GT(results, 5000U);
  }
  EXPECT_EQ(world.alive, 0);
  EXPECT_EQ(world.sim.pending(), 0U);
}

}  // namespace
}  // namespace meshdns::probes
