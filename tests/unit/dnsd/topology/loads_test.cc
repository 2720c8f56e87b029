#include "dnsd/topology/loads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "common/base/random_seed.h"

namespace meshdns::topology {
namespace {

using testing::ElementsAre;

TEST(Health, is_all_or_nothing_without_spill) {
  EXPECT_EQ(health_of({0, 5}, std::nullopt), 0U);
  EXPECT_EQ(health_of({1, 100}, std::nullopt), 100U);
}

TEST(Health, is_rounded_down_and_at_most_100) {
  const model::Spill spill{140, 0};
  EXPECT_EQ(health_of({10, 10}, spill), 100U);
  EXPECT_EQ(health_of({5, 7}, spill), 100U);
  EXPECT_EQ(health_of({5, 10}, spill), 70U);
  EXPECT_EQ(health_of({1, 3}, spill), 46U);
  EXPECT_EQ(health_of({1, 1000}, spill), 0U);
  EXPECT_EQ(health_of({0, 0}, spill), 0U);
}

TEST(LoadsInTurn, each_takes_what_its_health_allows) {
  EXPECT_THAT(loads_in_turn({100, 100}), ElementsAre(100, 0));
  EXPECT_THAT(loads_in_turn({70, 100}), ElementsAre(70, 30));
  EXPECT_THAT(loads_in_turn({0, 30, 90}), ElementsAre(0, 30, 70));
  EXPECT_THAT(loads_in_turn({0, 0}), ElementsAre(0, 0));
  EXPECT_THAT(loads_in_turn({}), ElementsAre());
}

TEST(LoadsInTurn, what_cannot_take_100_together_takes_more_in_proportion) {
  EXPECT_THAT(loads_in_turn({25, 25}), ElementsAre(50, 50));
  EXPECT_THAT(loads_in_turn({0, 20, 10}), ElementsAre(0, 67, 33));  // 66 + the remainder
  EXPECT_THAT(loads_in_turn({0, 1}), ElementsAre(0, 100));
}

TEST(LoadsByShare, are_percent_times_health_renormalised) {
  EXPECT_THAT(loads_by_share({100, 100}, {0, 1}, {80, 20}), ElementsAre(80, 20));
  EXPECT_THAT(loads_by_share({0, 100}, {0, 1}, {80, 20}), ElementsAre(0, 100));
  EXPECT_THAT(loads_by_share({50, 100}, {0, 1}, {80, 20}), ElementsAre(67, 33));  // 40 : 20
}

TEST(LoadsByShare, inside_a_share_tiers_take_in_turn) {
  EXPECT_THAT(loads_by_share({70, 100, 100}, {0, 0, 1}, {80, 20}), ElementsAre(56, 24, 20));
  EXPECT_THAT(loads_by_share({0, 100, 100}, {0, 0, 1}, {80, 20}), ElementsAre(0, 80, 20));
}

TEST(LoadsByShare, what_belongs_to_none_gets_a_load_only_where_all_shares_are_empty) {
  EXPECT_THAT(loads_by_share({0, 0, 100, 100}, {0, 1, 2, 2}, {80, 20}), ElementsAre(0, 0, 100, 0));
  EXPECT_THAT(loads_by_share({0, 1, 100}, {0, 1, 2}, {80, 20}), ElementsAre(0, 100, 0));
  EXPECT_THAT(loads_by_share({0, 100, 100}, {0, 1, 2}, {100, 0}), ElementsAre(0, 100, 0)) << "a share of 0 % is listed";
}

TEST(Panic, begins_below_the_threshold_and_ends_ten_above) {
  EXPECT_TRUE(is_panic({49, 100}, 50, false));
  EXPECT_FALSE(is_panic({50, 100}, 50, false));
  EXPECT_TRUE(is_panic({59, 100}, 50, true));
  EXPECT_FALSE(is_panic({60, 100}, 50, true));
  EXPECT_FALSE(is_panic({0, 0}, 50, true));
}

TEST(Loads, sum_to_100_or_are_all_none_whatever_comes) {
  const std::uint64_t seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::uint32_t> healths(1 + random() % 6);
    std::vector<std::size_t> share(healths.size());
    for (auto& health : healths) health = random() % 3 == 0 ? 0 : static_cast<std::uint32_t>(random() % 101);
    for (auto& of : share) of = random() % 4;
    const auto first = static_cast<std::uint32_t>(random() % 101);
    const auto second = static_cast<std::uint32_t>(random() % (101 - first));
    for (const auto& loads :
         {loads_in_turn(healths), loads_by_share(healths, share, {first, second, 100 - first - second})}) {
      const std::uint32_t sum = std::accumulate(loads.begin(), loads.end(), 0U);
      ASSERT_EQ(sum, health_together(healths) == 0 ? 0U : 100U);
      for (std::size_t i = 0; i < loads.size(); ++i) ASSERT_TRUE(healths[i] > 0 || loads[i] == 0);
    }
  }
}

}  // namespace
}  // namespace meshdns::topology
