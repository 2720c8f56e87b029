#include "agent/probes/alias_probe.h"

#include <gtest/gtest.h>

#include "agent/probes/none_probe.h"
#include "common/time/sim_clock.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;
using model::HealthState;

const ServiceBoard::Name kWeb{"shop", "web"};
const ServiceBoard::Name kDb{"shop", "db"};
const ServiceBoard::Name kDisk{"shop", "disk"};

class AliasProbeTest : public testing::Test {
 protected:
  ProbeResult run(Probe& asked) {
    std::optional<ProbeResult> got;
    asked.run(1s, [&](ProbeResult result) { got = std::move(result); });
    EXPECT_EQ(got, std::nullopt) << "never from within run()";
    sim.advance(0s);
    return got.value_or(ProbeResult{});
  }
  void put(const std::string& key, HealthState state, const std::string& detail = "", bool in_doubt = false) {
    board.put(key, kDb, {.state = state, .in_doubt = in_doubt, .detail = detail});
  }

  SimClock sim;
  ServiceBoard board;
  AliasProbe probe{sim, board, kWeb, AliasCheck{"shop", "db"}};
};

TEST_F(AliasProbeTest, a_service_that_this_node_does_not_have_is_no_result) {
  const ProbeResult result = run(probe);
  EXPECT_EQ(result, (ProbeResult{Outcome::Unknown, "this node has no endpoint of shop/db"}));
  EXPECT_FALSE(result.pending) << "somebody has to correct that";
}

TEST_F(AliasProbeTest, one_endpoint_that_serves_is_enough) {
  put("db/1", HealthState::Pending);
  EXPECT_EQ(run(probe),
            (ProbeResult{.outcome = Outcome::Unknown, .detail = "shop/db was not judged yet", .pending = true}));
  put("db/2", HealthState::Failing, "http 503");
  EXPECT_EQ(run(probe),
            (ProbeResult{.outcome = Outcome::Failure, .detail = "shop/db is failing: http 503", .certain = true}));
  put("db/3", HealthState::Serving, "disk almost full", true);
  EXPECT_EQ(
      run(probe),
      (ProbeResult{.outcome = Outcome::Warning, .detail = "shop/db is in doubt: disk almost full", .certain = true}));
  put("db/4", HealthState::Serving);
  EXPECT_EQ(run(probe), (ProbeResult{.outcome = Outcome::Success, .certain = true}));
  EXPECT_EQ(board.serving(kDb), 2U);
}

TEST_F(AliasProbeTest, a_service_that_drains_takes_nobody_new) {
  put("db/1", HealthState::Draining, "maintenance");
  EXPECT_EQ(run(probe).outcome, Outcome::Failure);
  EXPECT_EQ(run(probe).detail, "shop/db is draining: maintenance");
}

TEST_F(AliasProbeTest, each_change_is_news_and_nothing_else_is) {
  unsigned news = 0;
  probe.watch([&] { ++news; });
  put("db/1", HealthState::Serving);
  EXPECT_EQ(news, 1U);
  put("db/2", HealthState::Serving);
  put("db/1", HealthState::Serving);
  board.put("web/1", kWeb, {.state = HealthState::Serving});
  EXPECT_EQ(news, 1U);
  board.remove("db/1");
  EXPECT_EQ(news, 1U) << "the other one serves";
  board.remove("db/2");
  EXPECT_EQ(news, 2U);
  EXPECT_EQ(run(probe).outcome, Outcome::Unknown);
}

TEST_F(AliasProbeTest, an_endpoint_that_changes_its_service_leaves_the_other_one) {
  put("x", HealthState::Serving);
  unsigned news = 0;
  probe.watch([&] { ++news; });
  board.put("x", kDisk, {.state = HealthState::Serving});
  EXPECT_EQ(news, 1U);
  EXPECT_EQ(board.serving(kDb), 0U);
  EXPECT_EQ(board.serving(kDisk), 1U);
}

// Guards against two services that keep each other alive for ever, or never begin to serve.
TEST_F(AliasProbeTest, services_that_depend_on_each_other_are_not_judged) {
  put("db/1", HealthState::Serving);
  board.put("disk/1", kDisk, {.state = HealthState::Serving});
  board.set_aliases("db/1", {{"shop", "disk"}});
  EXPECT_EQ(run(probe).outcome, Outcome::Success) << "a chain is no cycle";
  board.set_aliases("disk/1", {{"shop", "web"}});
  EXPECT_EQ(run(probe), (ProbeResult{Outcome::Unknown, "the alias shop/db depends on shop/web itself"}));
  board.set_aliases("disk/1", {});
  EXPECT_EQ(run(probe).outcome, Outcome::Success);
  AliasProbe own(sim, board, kDb, AliasCheck{"shop", "db"});
  EXPECT_EQ(run(own), (ProbeResult{Outcome::Unknown, "the alias shop/db is the service itself"}));
}

TEST_F(AliasProbeTest, a_cycle_of_others_is_no_endless_search) {
  put("db/1", HealthState::Serving);
  board.put("disk/1", kDisk, {.state = HealthState::Serving});
  board.set_aliases("db/1", {{"shop", "disk"}});
  board.set_aliases("disk/1", {{"shop", "db"}});
  EXPECT_EQ(run(probe).outcome, Outcome::Success);
}

TEST_F(AliasProbeTest, the_end_of_the_probe_ends_its_timer) {
  {
    AliasProbe other(sim, board, kWeb, AliasCheck{"shop", "db"});
    other.watch([] { ADD_FAILURE() << "the probe is gone"; });
    other.run(1s, [](const ProbeResult&) { ADD_FAILURE() << "the probe is gone"; });
    other.run(1s, [](const ProbeResult&) { ADD_FAILURE() << "the probe is gone"; });
  }
  put("db/1", HealthState::Serving);
  sim.advance(1s);
  EXPECT_EQ(sim.pending(), 0U);
}

TEST_F(AliasProbeTest, none_is_always_a_success) {
  NoneProbe none(sim);
  EXPECT_EQ(run(none), (ProbeResult{.outcome = Outcome::Success, .certain = true}));
  {
    NoneProbe ended(sim);
    ended.run(1s, [](const ProbeResult&) { ADD_FAILURE() << "the probe is gone"; });
  }
  EXPECT_EQ(sim.pending(), 0U);
}

}  // namespace
}  // namespace meshdns::probes
