#include "dnsd/federation/distances.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }

/// What eu-1's agents find of us-1 and its gateways.
class DistancesTest : public testing::Test {
 protected:
  Distances distances;
  TimePoint now{1h};

  static MeasuredTarget endpoint(const std::string& name = "e1") {
    return {"endpoint us-1/" + name, {}, "us-1", false};
  }
  static MeasuredTarget gateway(const std::string& address = "10.2.0.1") {
    return {"gateway us-1 " + address, {ip(address), 8080}, "us-1", true};
  }
  void measured(const std::string& agent, Duration rtt, const MeasuredTarget& target = endpoint()) {
    distances.heard("eu-1", agent, target, {true, rtt}, now);
  }
  void reached(const std::string& agent, bool connected, const MeasuredTarget& target = gateway()) {
    distances.heard("eu-1", agent, target, {connected, std::nullopt}, now);
  }
  model::ClusterStatus status() { return distances.settle(now)["eu-1"]; }
  std::optional<Duration> far() {
    const auto all = status().distances;
    return all.contains("us-1") ? std::optional(all.at("us-1")) : std::nullopt;
  }
  bool down(const std::string& address = "10.2.0.1") { return status().gateways_down.contains(ip(address)); }
};

TEST_F(DistancesTest, the_first_sample_counts_whole) {
  EXPECT_EQ(far(), std::nullopt);
  measured("n1", 80ms);
  EXPECT_EQ(far(), 80ms);
  EXPECT_THAT(distances.settle(now), ElementsAre(Pair("eu-1", testing::_)));
}

TEST_F(DistancesTest, later_ones_by_an_eighth) {
  measured("n1", 80ms);
  EXPECT_EQ(far(), 80ms);
  measured("n1", 240ms);  // 100 ms now: one fifth of 100 does not exceed
  EXPECT_EQ(far(), 100ms);
}

TEST_F(DistancesTest, a_change_is_published_only_beyond_a_fifth) {
  measured("n1", 80ms);
  EXPECT_EQ(far(), 80ms);
  measured("n1", 208ms);  // 96 ms: a fifth, not more
  EXPECT_EQ(far(), 80ms);
  measured("n1", 104ms);  // 97 ms
  EXPECT_EQ(far(), 97ms);
}

TEST_F(DistancesTest, and_beyond_two_milliseconds) {
  measured("n1", 1ms);
  EXPECT_EQ(far(), 1ms);
  measured("n1", 17ms);  // 3 ms: three times as far, yet only 2 ms more
  EXPECT_EQ(far(), 1ms);
  measured("n1", 4ms);
  EXPECT_EQ(far(), 3100us);
}

TEST_F(DistancesTest, the_median_of_the_agents_each_of_its_targets) {
  measured("n1", 10ms);
  measured("n2", 50ms);
  measured("n3", 900ms);
  EXPECT_EQ(far(), 50ms);
  // another target more of one agent is not another vote
  measured("n1", 12ms, endpoint("e2"));
  measured("n1", 14ms, endpoint("e3"));
  EXPECT_EQ(far(), 50ms);
}

TEST_F(DistancesTest, of_two_agents_the_middle) {
  measured("n1", 10ms);
  measured("n2", 50ms);
  EXPECT_EQ(far(), 30ms);
}

TEST_F(DistancesTest, each_direction_is_its_own) {
  measured("n1", 80ms);
  distances.heard("us-1", "us-1/n1", {"endpoint eu-1/e1", {}, "eu-1", false}, {true, 90ms}, now);
  auto all = distances.settle(now);
  EXPECT_THAT(all["eu-1"].distances, ElementsAre(Pair("us-1", 80ms)));
  EXPECT_THAT(all["us-1"].distances, ElementsAre(Pair("eu-1", 90ms)));
}

TEST_F(DistancesTest, old_ones_take_no_part_while_there_are_others) {
  measured("n1", 10ms);
  measured("n2", 10ms);
  EXPECT_EQ(far(), 10ms);
  now += 91s;
  measured("n3", 60ms);
  EXPECT_EQ(far(), 60ms);
}

TEST_F(DistancesTest, silence_changes_nothing_for_ten_minutes) {
  measured("n1", 80ms);
  EXPECT_EQ(far(), 80ms);
  now += 10min;
  EXPECT_EQ(far(), 80ms);
  now += 1ns;
  EXPECT_EQ(far(), std::nullopt);
  EXPECT_THAT(distances.settle(now), IsEmpty());
}

TEST_F(DistancesTest, a_cluster_that_is_asked_in_vain_stays_as_far_as_it_was) {
  measured("n1", 80ms);
  for (int i = 0; i < 100; ++i) {
    now += 30s;
    distances.heard("eu-1", "n1", endpoint(), {false, std::nullopt}, now);
    EXPECT_EQ(far(), 80ms);
  }
}

TEST_F(DistancesTest, what_is_no_round_trip_time_is_not_taken) {
  for (const Duration rtt : {Duration(0), Duration(-1), Duration(24h), Duration::max(), Duration::min()}) {
    measured("n1", rtt);
    EXPECT_EQ(far(), std::nullopt);
  }
  distances.heard("eu-1", "n1", endpoint(), {false, 80ms}, now);  // it has not connected
  EXPECT_EQ(far(), std::nullopt);
}

TEST_F(DistancesTest, no_cluster_is_at_no_distance) {
  measured("n1", 1ns);
  EXPECT_EQ(far(), 10us);
}

TEST_F(DistancesTest, a_gateway_falls_after_three_failures_and_rises_after_two_successes) {
  reached("n1", true);
  EXPECT_FALSE(down());
  reached("n1", false);
  reached("n1", false);
  EXPECT_FALSE(down());
  reached("n1", true);  // not in a row
  reached("n1", false);
  reached("n1", false);
  EXPECT_FALSE(down());
  reached("n1", false);
  EXPECT_TRUE(down());
  reached("n1", true);
  EXPECT_TRUE(down());
  reached("n1", false);
  reached("n1", true);
  EXPECT_TRUE(down());
  reached("n1", true);
  EXPECT_FALSE(down());
}

TEST_F(DistancesTest, a_gateway_that_was_never_reached_is_up_until_three_failures) {
  EXPECT_FALSE(down());
  reached("n1", false);
  reached("n1", false);
  EXPECT_FALSE(down());
  reached("n1", false);
  EXPECT_TRUE(down());
}

TEST_F(DistancesTest, it_is_down_only_while_every_agent_says_so) {
  for (int i = 0; i < 5; ++i) {
    reached("n1", false);
    reached("n2", true);
  }
  EXPECT_FALSE(down());
  for (int i = 0; i < 3; ++i) reached("n2", false);
  EXPECT_TRUE(down());
  for (int i = 0; i < 2; ++i) reached("n2", true);
  EXPECT_FALSE(down());
}

TEST_F(DistancesTest, an_agent_that_fell_silent_has_no_say) {
  reached("n2", true);
  for (int i = 0; i < 8; ++i) {
    now += 5s;
    reached("n1", false);
    EXPECT_EQ(down(), i * 5s + 5s > 30s) << i;
  }
}

TEST_F(DistancesTest, silence_of_all_changes_no_gateway) {
  reached("n1", true);
  now += 31s;
  EXPECT_FALSE(down());
  for (int i = 0; i < 3; ++i) reached("n1", false);
  EXPECT_TRUE(down());
  now += 10min;
  EXPECT_TRUE(down());
  now += 1ns;
  EXPECT_FALSE(down());
}

// Guards a plan that changes: the new agents' first failure is no recovery.
TEST_F(DistancesTest, other_agents_go_on_from_what_is_known) {
  for (int i = 0; i < 3; ++i) reached("n1", false);
  EXPECT_TRUE(down());
  now += 31s;
  reached("n2", false);
  EXPECT_TRUE(down());
  reached("n2", true);
  EXPECT_TRUE(down());
  reached("n2", true);
  EXPECT_FALSE(down());
}

TEST_F(DistancesTest, a_gateway_that_is_none_any_more_is_not_down) {
  for (int i = 0; i < 3; ++i) {
    reached("n1", false);
    reached("n1", false, gateway("10.2.0.2"));
  }
  EXPECT_TRUE(down());
  distances.keep_gateways({ip("10.2.0.2")});
  EXPECT_FALSE(down());
  EXPECT_TRUE(down("10.2.0.2"));
}

TEST_F(DistancesTest, a_restart_begins_with_what_was_published) {
  model::ClusterStatus before;
  before.distances = {{"us-1", 80ms}, {"bad", -5ms}};
  before.gateways_down = {ip("10.2.0.1")};
  distances.restore("eu-1", before, now);
  EXPECT_EQ(far(), 80ms);
  EXPECT_FALSE(status().distances.contains("bad"));
  EXPECT_TRUE(down());
  measured("n1", 90ms);
  EXPECT_EQ(far(), 80ms) << "within the hysteresis of what was published";
  reached("n1", false);
  EXPECT_TRUE(down());
  now += 10min + 1ns;
  EXPECT_THAT(distances.settle(now), IsEmpty());
}

/// One true distance with noise around it, agents that come and go, losses.
struct Noise {
  Duration truth;
  double share;  // of the truth, to both sides
};

class DistancesProperty : public testing::Test {
 protected:
  /// How often the published value changed after the first.
  int changes(std::uint32_t seed, const Noise& noise) {
    std::minstd_rand random(seed);
    std::uniform_real_distribution<double> off(1 - noise.share, 1 + noise.share);
    const auto below = [&](int end) { return std::uniform_int_distribution<int>(0, end - 1)(random); };
    Distances distances;
    TimePoint now{1h};
    std::optional<Duration> last;
    int count = 0;
    for (int i = 0; i < 600; ++i) {
      now += std::chrono::milliseconds(below(2000));
      const auto rtt = Duration(std::llround(static_cast<double>(noise.truth.count()) * off(random)));
      const MeasuredTarget target{"endpoint e" + std::to_string(below(3)), {}, "us-1", false};
      distances.heard("eu-1", "n" + std::to_string(below(3)), target, {below(10) != 0, rtt}, now);
      const auto all = distances.settle(now)["eu-1"].distances;
      if (!all.contains("us-1")) continue;
      const Duration value = all.at("us-1");
      EXPECT_GT(value, Duration::zero());
      EXPECT_LT(value, Distances::kLongest);
      if (last && *last != value) ++count;
      last = value;
    }
    return count;
  }
};

// A fifth of the lowest value that there can be is more than the whole width of the noise.
TEST_F(DistancesProperty, noise_below_the_hysteresis_changes_nothing) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ASSERT_EQ(changes(seed, {80ms, 0.09}), 0);
    ASSERT_EQ(changes(seed, {1ms, 0.9}), 0);  // 2 ms at most
    ASSERT_EQ(changes(seed, {30us, 0.99}), 0);
  }
}

TEST_F(DistancesProperty, much_noise_is_smoothed) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ASSERT_LE(changes(seed, {80ms, 0.5}), 6);  // while the first samples come in
  }
}

// Anything that an agent may say: what is published is a time, or nothing.
TEST_F(DistancesProperty, nothing_absurd_comes_out_of_anything) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Distances distances;
    TimePoint now{1h};
    for (int i = 0; i < 300; ++i) {
      now += Duration(static_cast<Duration::rep>(random() % 60'000'000'000));
      const auto rtt = Duration(static_cast<Duration::rep>(random() >> (random() % 64)));
      distances.heard("eu-1", "n" + std::to_string(random() % 3), {"t", {}, "us-1", random() % 2 == 0},
                      {random() % 4 != 0, random() % 2 == 0 ? rtt : -(rtt / 2)}, now);
      const auto all = distances.settle(now)["eu-1"].distances;
      for (const auto& [to, far] : all) {
        ASSERT_GT(far, Duration::zero());
        ASSERT_LE(far, Distances::kLongest);
      }
    }
  }
}

}  // namespace
}  // namespace meshdns::federation
