#include "agent/probes/ttl_probe.h"

#include <gtest/gtest.h>

#include "common/time/sim_clock.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

class TtlProbeTest : public testing::Test {
 protected:
  ProbeResult run(TtlProbe& asked) {
    std::optional<ProbeResult> got;
    asked.run(1s, [&](ProbeResult result) { got = std::move(result); });
    EXPECT_EQ(got, std::nullopt) << "never from within run()";
    sim.advance(0s);
    return got.value_or(ProbeResult{});
  }

  SimClock sim;
  PushBoard board;
  TtlProbe probe{{sim, sim, board}, "shop/web", TtlCheck{30s}};
};

TEST_F(TtlProbeTest, an_endpoint_that_never_pushed_is_not_judged) {
  board.push("shop/other", Outcome::Success, "", sim.now());
  const ProbeResult result = run(probe);
  EXPECT_EQ(result.outcome, Outcome::Unknown);
  EXPECT_TRUE(result.pending);
  EXPECT_EQ(result.detail, "the service has not pushed its health yet");
}

TEST_F(TtlProbeTest, the_last_push_is_the_result_and_certain) {
  board.push("shop/web", Outcome::Success, "", sim.now());
  EXPECT_EQ(run(probe), (ProbeResult{.outcome = Outcome::Success, .certain = true}));
  board.push("shop/web", Outcome::Warning, "queue long", sim.now());
  EXPECT_EQ(run(probe), (ProbeResult{.outcome = Outcome::Warning, .detail = "queue long", .certain = true}));
  board.push("shop/web", Outcome::Failure, "no database", sim.now());
  EXPECT_EQ(run(probe), (ProbeResult{.outcome = Outcome::Failure, .detail = "no database", .certain = true}));
}

TEST_F(TtlProbeTest, a_push_and_its_end_are_news) {
  std::vector<TimePoint> news;
  probe.watch([&] { news.push_back(sim.now()); });
  const TimePoint begin = sim.now();
  board.push("shop/web", Outcome::Success, "", begin);
  EXPECT_EQ(news.size(), 1U);
  sim.advance(20s);
  board.push("shop/web", Outcome::Success, "", sim.now());
  sim.advance(29s);
  EXPECT_EQ(run(probe).outcome, Outcome::Success) << "a later push prolongs";
  sim.advance(2s);
  EXPECT_EQ(news, (std::vector<TimePoint>{begin, begin + 20s, begin + 50s}));
  EXPECT_EQ(run(probe), (ProbeResult{.outcome = Outcome::Failure, .detail = "no push within 30s", .certain = true}));
}

// Guards against an agent that was stopped for a minute, and withdraws services whose pushes wait in its socket.
TEST_F(TtlProbeTest, an_agent_that_was_held_up_waits_for_pushes_as_long_again) {
  struct LateClock : Clock {
    explicit LateClock(const SimClock& c) : sim(c) {}
    TimePoint now() const override { return sim.now() + lag; }
    std::int64_t unix_seconds() const override { return 0; }
    const SimClock& sim;
    Duration lag{};
  };
  LateClock late(sim);
  TtlProbe held({late, sim, board}, "shop/web", TtlCheck{30s});
  unsigned news = 0;
  held.watch([&] { ++news; });
  board.push("shop/web", Outcome::Success, "", late.now());
  sim.advance(29s);
  late.lag = 6s;
  EXPECT_EQ(run(held).outcome, Outcome::Success) << "the timer has not fired yet";
  sim.advance(1s);
  EXPECT_EQ(run(held).outcome, Outcome::Success);
  sim.advance(5s);
  EXPECT_EQ(run(held).outcome, Outcome::Success);
  EXPECT_EQ(news, 1U);
  sim.advance(1s);
  EXPECT_EQ(news, 2U);
  EXPECT_EQ(run(held).outcome, Outcome::Failure);
}

TEST_F(TtlProbeTest, a_push_of_an_earlier_run_of_the_agent_holds_until_it_expires) {
  board.restore({{"shop/web", Outcome::Success, "", 1'000'000}}, sim.now(), 1'010'000);
  EXPECT_EQ(run(probe).outcome, Outcome::Success);
  sim.advance(21s);
  EXPECT_EQ(run(probe).outcome, Outcome::Failure);
}

TEST_F(TtlProbeTest, the_end_of_the_probe_ends_its_timers) {
  {
    TtlProbe other({sim, sim, board}, "shop/web", TtlCheck{10s});
    other.watch([] { ADD_FAILURE() << "the probe is gone"; });
    other.run(1s, [](const ProbeResult&) { ADD_FAILURE() << "the probe is gone"; });
    other.run(1s, [](const ProbeResult&) { ADD_FAILURE() << "the probe is gone"; });
  }
  board.push("shop/web", Outcome::Success, "", sim.now());
  sim.advance(0s);
  EXPECT_EQ(sim.pending(), 1U) << "of the probe that is left";
}

}  // namespace
}  // namespace meshdns::probes
