#include "dnsd/query/choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>

#include "common/base/random_seed.h"

namespace meshdns::query {
namespace {

using Rows = std::vector<std::uint16_t>;

/// The seed is a new one each time; a failure names it.
class ChoiceTest : public testing::Test {
 protected:
  ChoiceTest() : trace_(__FILE__, __LINE__, "seed " + std::to_string(seed)) {}

  void rows(std::size_t count, std::uint32_t weight = 1) {
    plan.candidates.assign(count, {.weight = weight});
    for (std::size_t i = 0; i < count; ++i) plan.candidates[i].v4 = IpAddress::v4(static_cast<std::uint32_t>(i + 1));
    compile();
    all.resize(count);
    std::iota(all.begin(), all.end(), std::uint16_t{0});
  }
  /// In a new slot each time.
  Rows draw(std::size_t limit, bool equal = true, const RowFilter* filter = nullptr) {
    at_second += static_cast<std::uint32_t>(plan.policy.ttl / 1s);
    return draw({.equal_weights = equal, .limit = limit}, filter);
  }
  Rows draw(Draw rule, const RowFilter* filter = nullptr) {
    rule.seat = {&client, nullptr, at_second};
    choose(answers::RowIndexes(all), filter == nullptr ? RowFilter{.host = *host, .v4 = true} : *filter, rule, random,
           choice);
    return {choice.view().begin(), choice.view().end()};
  }
  /// The addresses that are chosen, without their order
  std::set<std::uint32_t> addresses(std::size_t limit, bool equal = true) {
    std::set<std::uint32_t> out;
    for (const auto row : draw({.equal_weights = equal, .limit = limit})) {
      out.insert(plan.candidates[row].v4->v4_host_order());
    }
    return out;
  }

  void compile() { host = answers::compile_host(plan, {{0}, 0, 0, {}, clusters.geography()}, parts); }

  const answers::ClusterRecords clusters;
  const std::uint64_t seed = random_seed();
  testing::ScopedTrace trace_;
  Random random{seed};
  topology::HostPlan plan;
  answers::HostParts parts;
  answers::Ref<const answers::Host> host;
  Rows all;
  ChosenRows choice;
  IpAddress client = IpAddress::v4(0x0A000009);
  std::uint32_t at_second = static_cast<std::uint32_t>(seed % 1'000'000'000);
};

TEST_F(ChoiceTest, EachAtMostOnceAndAtMostTheLimit) {
  rows(12);
  for (int i = 0; i < 200; ++i) {
    const Rows drawn = draw(8);
    EXPECT_EQ(drawn.size(), 8U);
    EXPECT_EQ(std::set<std::uint16_t>(drawn.begin(), drawn.end()).size(), 8U);
  }
  EXPECT_EQ(draw(0).size(), 0U);
  EXPECT_EQ(draw(20).size(), 12U);
  all.clear();
  EXPECT_EQ(draw(8).size(), 0U);
}

// 12,000 draws of 3 of 12: each row is in 3,000 of them, give or take 47 (one standard deviation).
TEST_F(ChoiceTest, EqualWeightsAppearEquallyAndFirstEqually) {
  rows(12);
  std::map<int, int> seen;
  std::map<int, int> first;
  for (int i = 0; i < 12000; ++i) {
    const Rows drawn = draw(3);
    for (const auto row : drawn) ++seen[row];
    ++first[drawn[0]];
  }
  for (const auto row : all) {
    EXPECT_NEAR(seen[row], 3000, 330) << "row " << row;
    EXPECT_NEAR(first[row], 1000, 220) << "row " << row;
  }
}

TEST_F(ChoiceTest, AllOrdersOfThree) {
  rows(3);
  std::map<Rows, int> orders;
  for (int i = 0; i < 6000; ++i) ++orders[draw(8)];
  EXPECT_EQ(orders.size(), 6U);
  for (const auto& [order, times] : orders) EXPECT_NEAR(times, 1000, 210);
}

TEST_F(ChoiceTest, WeightsActThroughMembershipAndOrder) {
  rows(4);
  plan.candidates[2].weight = 3;
  compile();
  std::map<int, int> first;
  for (int i = 0; i < 6000; ++i) ++first[draw(1, false)[0]];
  EXPECT_NEAR(first[2], 3000, 280);
  for (const int row : {0, 1, 3}) EXPECT_NEAR(first[row], 1000, 210) << "row " << row;
}

TEST_F(ChoiceTest, WeightsWithoutReplacement) {
  rows(3);
  plan.candidates[0].weight = 1000;
  compile();
  std::map<int, int> runner_up;
  for (int i = 0; i < 2000; ++i) {
    const Rows drawn = draw(2, false);
    EXPECT_EQ(std::set<std::uint16_t>(drawn.begin(), drawn.end()).size(), 2U);
    ++runner_up[drawn[1]];
  }
  EXPECT_NEAR(runner_up[1], 1000, 160);
  EXPECT_NEAR(runner_up[2], 1000, 160);
}

TEST_F(ChoiceTest, WeightZeroCountsAsOneAmongItsOwn) {
  rows(2, 0);
  std::map<int, int> first;
  for (int i = 0; i < 2000; ++i) ++first[draw(1, false)[0]];
  EXPECT_NEAR(first[0], 1000, 160);
}

TEST_F(ChoiceTest, HugeWeightsDoNotOverflow) {
  rows(ChosenRows::kMost, 0xFFFFFFFF);
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 100; ++i) {
    for (const auto row : draw(64, false)) seen.insert(row);
  }
  EXPECT_EQ(seen.size(), ChosenRows::kMost);
}

// More candidates than a choice has room for.
TEST_F(ChoiceTest, EveryRowOfManyAppears) {
  rows(1000);
  std::map<int, int> seen;
  for (int i = 0; i < 20000; ++i) {
    const Rows drawn = draw(8);
    EXPECT_EQ(std::set<std::uint16_t>(drawn.begin(), drawn.end()).size(), 8U);
    for (const auto row : drawn) ++seen[row];
  }
  for (const auto row : all) EXPECT_NEAR(seen[row], 160, 85) << "row " << row;
}

TEST_F(ChoiceTest, TheFilterHolds) {
  rows(6);
  const IpAddress v6 = IpAddress::v6_bytes(std::array<std::uint8_t, 16>{1});
  const IpAddress other = IpAddress::v6_bytes(std::array<std::uint8_t, 16>{2});
  plan.ports = {{"http", "TCP", 0}};
  plan.candidates[0].v4.reset();
  plan.candidates[1].v6 = v6;
  plan.candidates[2].v6 = other;
  for (const std::size_t i : {0U, 2U, 3U, 5U}) plan.candidates[i].ports = {80};
  for (const std::size_t i : {1U, 4U}) plan.candidates[i].ports = {0};
  compile();
  const auto sorted = [&](const RowFilter& filter) {
    Rows drawn = draw(8, true, &filter);
    std::ranges::sort(drawn);
    return drawn;
  };
  EXPECT_EQ(sorted({.host = *host, .v4 = true}), Rows({1, 2, 3, 4, 5}));
  EXPECT_EQ(sorted({.host = *host, .v6 = true}), Rows({1, 2}));
  EXPECT_EQ(sorted({.host = *host, .port = 0}), Rows({0, 2, 3, 5}));
  EXPECT_EQ(sorted({.host = *host, .port = 0, .v6 = true}), Rows({2}));
}

// What HAProxy and Prometheus see: a subset that changes with each question looks like servers that come and go.
TEST_F(ChoiceTest, ASubsetStaysForTheSlot) {
  for (const bool equal : {true, false}) {
    rows(300);
    if (!equal) {
      for (std::size_t i = 0; i < 300; i += 7) plan.candidates[i].weight = 5;
      compile();
    }
    std::set<std::set<std::uint32_t>> seen;
    std::uint32_t moves = 0;
    auto before = addresses(8, equal);
    for (int i = 0; i < 100; ++i) {
      for (int again = 0; again < 3; ++again) ASSERT_EQ(addresses(8, equal), addresses(8, equal));
      ++at_second;
      const auto now = addresses(8, equal);
      moves += now != before ? 1 : 0;
      before = now;
      seen.insert(now);
    }
    EXPECT_EQ(moves, 20U) << "a slot is the TTL, 5 s";
    EXPECT_GE(seen.size(), 20U);
    EXPECT_LE(seen.size(), 21U);
  }
}

TEST_F(ChoiceTest, ClientsGetSubsetsOfTheirOwn) {
  rows(300);
  std::set<std::set<std::uint32_t>> seen;
  std::map<std::uint32_t, int> chosen;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    client = IpAddress::v4(0x0A000000 + i);
    const auto got = addresses(8);
    seen.insert(got);
    for (const auto address : got) ++chosen[address];
  }
  EXPECT_GT(seen.size(), 2990U);
  ASSERT_EQ(chosen.size(), 300U);
  for (const auto& [address, times] : chosen) EXPECT_NEAR(times, 80, 55) << address;  // six standard deviations
}

// Whatever happens to the others, a row that is answered stays, until its slot ends.
TEST_F(ChoiceTest, AnotherRowThatComesOrGoesChangesNothingElse) {
  for (const bool equal : {true, false}) {
    rows(300);
    const auto before = addresses(8, equal);
    const auto gone = [&](std::uint32_t address) {
      std::erase_if(plan.candidates, [&](const auto& candidate) { return candidate.v4 == IpAddress::v4(address); });
      compile();
      all.pop_back();
    };
    std::uint32_t other = 1;
    while (before.contains(other)) ++other;
    gone(other);
    EXPECT_EQ(addresses(8, equal), before);
    gone(*before.begin());
    const auto after = addresses(8, equal);
    std::vector<std::uint32_t> kept;
    std::ranges::set_intersection(before, after, std::back_inserter(kept));
    EXPECT_EQ(after.size(), 8U);
    EXPECT_EQ(kept.size(), 7U);
  }
}

// Rows that share an address are one address, with the weight of all of them.
TEST_F(ChoiceTest, AddressesAreDrawnNotRows) {
  rows(100);
  for (std::size_t i = 0; i < 100; ++i) {
    plan.candidates[i].v4 = IpAddress::v4(static_cast<std::uint32_t>(1 + i % 10));
    plan.candidates[i].port = static_cast<std::uint16_t>(8000 + i);
  }
  compile();
  for (int i = 0; i < 500; ++i, at_second += 5) {
    for (const std::size_t limit : {8U, 10U, 200U}) {
      const Rows drawn = draw({.limit = limit, .by_address = true});
      std::set<std::uint32_t> distinct;
      for (const auto row : drawn) distinct.insert(plan.candidates[row].v4->v4_host_order());
      ASSERT_EQ(distinct.size(), std::min<std::size_t>(limit, 10)) << "8 of 10, never fewer";
      ASSERT_EQ(drawn.size(), distinct.size());
      ASSERT_EQ(choice.cut, limit == 8);
    }
  }
}

TEST_F(ChoiceTest, AnAddressHasTheWeightOfItsRows) {
  rows(12);
  for (std::size_t i = 0; i < 12; ++i) {
    plan.candidates[i].v4 = IpAddress::v4(i < 9 ? 1 : static_cast<std::uint32_t>(i));
    plan.candidates[i].port = static_cast<std::uint16_t>(8000 + i);
  }
  compile();
  int shared = 0;
  for (int i = 0; i < 6000; ++i, at_second += 5) {
    const Rows drawn = draw({.limit = 1, .by_address = true});
    shared += *plan.candidates[drawn.at(0)].v4 == IpAddress::v4(1) ? 1 : 0;
  }
  EXPECT_NEAR(shared, 4500, 210) << "9 of 12 rows";
}

TEST_F(ChoiceTest, RowsOfATier) {
  plan.candidates.assign(4, {.v4 = IpAddress::v4(1)});
  plan.candidates[2].locality.cluster = "here";
  const std::vector<model::Locality> views = {{.cluster = "here"}};
  host = answers::compile_host(plan, {{0}, 0, 0, views, clusters.geography()}, parts);
  const answers::Set& set = host->set_of_class(0);
  const auto sorted = [&](std::size_t tier) {
    Rows out(tier_rows(*host, set, tier).size());
    tier_rows(*host, set, tier).copy_to(out.data());
    std::ranges::sort(out);
    return out;
  };
  EXPECT_EQ(sorted(0), Rows({2}));
  EXPECT_EQ(sorted(1), Rows({0, 1, 3}));
}

// 256 rows have indexes of one byte, 257 of two.
TEST_F(ChoiceTest, RowsBeyondAByte) {
  for (const std::size_t count : {256U, 257U, 700U}) {
    plan.candidates.assign(count, {.v4 = IpAddress::v4(1)});
    plan.candidates.back().locality.cluster = "here";
    const std::vector<model::Locality> views = {{.cluster = "here"}};
    host = answers::compile_host(plan, {{0}, 0, 0, views, clusters.geography()}, parts);
    const answers::Set& set = host->set_of_class(0);
    Rows iterated;
    for (const std::uint16_t row : host->rows_of(set)) iterated.push_back(row);
    ASSERT_EQ(iterated.size(), count);
    EXPECT_EQ(iterated.front(), count - 1) << "the near tier";
    EXPECT_EQ(tier_rows(*host, set, 0)[0], count - 1);
    EXPECT_EQ(tier_rows(*host, set, 1)[count - 2], iterated.back());
    std::ranges::sort(iterated);
    ASSERT_EQ(std::set(iterated.begin(), iterated.end()).size(), count);
    EXPECT_EQ(iterated.back(), count - 1);
  }
}

}  // namespace
}  // namespace meshdns::query
