// The brakes by themselves; how they act in a federation is in tests/scenario/brakes.
#include "dnsd/federation/brakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <set>

namespace meshdns::federation {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr TimePoint kNow{1h};

/// So many agents of a zone of so many, one endpoint each; all of them silent for 10 s.
Brakes::Hearing silent(std::size_t unheard, std::size_t agents, const std::string& zone = "eu/eu-a") {
  Brakes::Hearing out;
  out.registry = 1000;
  out.endpoints_of = [](const std::string&) { return std::size_t{1}; };
  out.heard[zone] = agents - unheard;
  for (std::size_t i = 0; i < unheard; ++i) out.unheard.push_back({zone + std::to_string(i), zone, kNow - 10s, true});
  return out;
}

std::string name_of_closed(const Brakes::Hearing& hearing) {
  Brakes brakes;
  brakes.judge(hearing, kNow);
  const auto closed = brakes.closed();
  return closed.empty() ? "none" : closed.front().name;
}

/// Among agents elsewhere that are heard.
std::string name_of_closed_zone(std::size_t unheard, std::size_t agents) {
  Brakes::Hearing hearing = silent(unheard, agents);
  hearing.heard["us/us-a"] = 100;
  return name_of_closed(hearing);
}

TEST(Brakes, a_zone_closes_above_55_percent) {
  EXPECT_EQ(name_of_closed_zone(11, 20), "none");
  EXPECT_EQ(name_of_closed_zone(12, 20), "zone");
  EXPECT_EQ(name_of_closed_zone(2, 2), "none");
  EXPECT_EQ(name_of_closed_zone(3, 3), "zone");
}

TEST(Brakes, the_overall_one_closes_at_85_percent) {
  const auto in_zones_of_two = [](std::size_t unheard, std::size_t agents) {
    Brakes::Hearing out = silent(unheard, agents);
    for (std::size_t i = 0; i < unheard; ++i) out.unheard[i].zone = "z" + std::to_string(i / 2);
    return name_of_closed(out);
  };
  EXPECT_EQ(in_zones_of_two(16, 20), "none");
  EXPECT_EQ(in_zones_of_two(17, 20), "overall");
  EXPECT_EQ(in_zones_of_two(2, 2), "none");
}

// Guards the first of many: its lease runs out up to a heartbeat before those of the others.
TEST(Brakes, whoever_is_overdue_counts) {
  Brakes::Hearing hearing = silent(6, 100);
  for (std::size_t i = 1; i < 6; ++i) hearing.unheard[i].silent = false;
  hearing.heard = {{"eu/eu-a", 2}, {"us/us-a", 92}};
  Brakes brakes;
  EXPECT_EQ(brakes.judge(hearing, kNow), (std::vector<Brakes::Verdict>{{"eu/eu-a0", "zone"}}));
  EXPECT_EQ(brakes.closed().front().reason, "6 of 8 agents of eu/eu-a silent within 60s");
  EXPECT_EQ(brakes.closed().front().held, 1U);
}

// Guards against a zone in which nobody is ever demoted because many were, each by itself.
TEST(Brakes, those_who_fell_silent_at_other_times_do_not_count_together) {
  Brakes::Hearing hearing = silent(3, 4);
  hearing.heard["us/us-a"] = 100;
  hearing.unheard[1].since = kNow - 71s;
  EXPECT_EQ(name_of_closed(hearing), "none") << "two at once, and one before";
  hearing.unheard[1].since = kNow - 70s;
  EXPECT_EQ(name_of_closed(hearing), "zone");
}

TEST(Brakes, who_was_demoted_counts_for_a_minute) {
  Brakes::Hearing hearing = silent(3, 4);
  hearing.heard["us/us-a"] = 100;
  for (std::size_t i : {1U, 2U}) {
    hearing.unheard[i].demoted = true;
    hearing.unheard[i].since = kNow - 60s;
  }
  EXPECT_EQ(name_of_closed(hearing), "zone");
  hearing.unheard[1].since = kNow - 61s;
  EXPECT_EQ(name_of_closed(hearing), "none") << "one of two";
}

TEST(Brakes, a_closed_one_holds_deletions_too) {
  Brakes brakes;
  Brakes::Hearing hearing = silent(3, 4);
  hearing.heard["us/us-a"] = 100;
  brakes.judge(hearing, kNow);
  brakes.begin_deletions();
  EXPECT_EQ(brakes.judge(Brakes::Deletion{"long dead", "eu/eu-a", 1, 1000}, kNow), "zone");
  EXPECT_EQ(brakes.judge(Brakes::Deletion{"elsewhere", "us/us-a", 1, 1000}, kNow), "");
  EXPECT_EQ(brakes.closed().front().held, 4U);
  brakes.begin_deletions();
  EXPECT_EQ(brakes.closed().front().held, 3U);
}

TEST(Brakes, what_has_no_endpoints_costs_nothing) {
  SweepBudget budget;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.take(0, 100, kNow));
  EXPECT_TRUE(budget.take(1, 100, kNow));
}

TEST(Brakes, the_budget_is_of_any_ten_seconds) {
  SweepBudget budget;
  EXPECT_TRUE(budget.take(10, 100, kNow));
  EXPECT_TRUE(budget.take(2, 100, kNow + 5s));
  EXPECT_FALSE(budget.take(4, 100, kNow + 5s));
  EXPECT_TRUE(budget.take(3, 100, kNow + 5s));
  EXPECT_FALSE(budget.take(1, 100, kNow + 9999ms));
  EXPECT_TRUE(budget.take(10, 100, kNow + 10s));
  EXPECT_FALSE(budget.take(1, 100, kNow + 10s));
}

TEST(Brakes, a_zone_is_named_by_network_region_and_zone) {
  EXPECT_EQ(Brakes::zone_text({"corp", "eu", "eu-a", "", "eu-1", "n1"}), "corp/eu/eu-a");
  EXPECT_EQ(Brakes::zone_text({"", "eu", "eu-a", "", "eu-1", "n1"}), "eu/eu-a");
  EXPECT_EQ(Brakes::zone_text({"", "", "eu-a", "", "eu-1", "n1"}), "-/eu-a");
  EXPECT_EQ(Brakes::zone_text({"corp", "eu", "", "", "eu-1", "n1"}), "cluster eu-1");
}

/// Agents that die, are cut off in zones and come back, at random, in a registry of some size.
class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    const std::size_t zones = 1 + below(6);
    const std::size_t agents = 1 + below(60);
    for (std::size_t i = 0; i < agents; ++i) {
      Machine machine;
      machine.zone = "z" + std::to_string(below(zones));
      machine.endpoints = below(10) == 0 ? below(80) : below(4);
      registry_ += machine.endpoints;
      machines_["n" + std::to_string(i)] = machine;
    }
  }

  void step() {
    now_ += 250ms;
    const std::size_t what = below(200);
    for (auto& [name, machine] : machines_) {
      if (what == 0 && below(2) == 0) machine.cut = true;
      if (what == 1 && machine.zone == "z0") machine.cut = true;
      if (what == 2) machine.cut = false;
      if (what > 2 && what < 9 && below(20) == 0) machine.cut = !machine.cut;
      if (!machine.cut && now_ - machine.heard >= 1s) machine = {machine.zone, machine.endpoints, now_};
    }
    sweep();
    if (++steps_ % 40 == 0) forget();
    expect_within_cap();
  }
  std::size_t gone() const { return gone_; }
  std::size_t held() const { return held_; }

 private:
  struct Machine {
    std::string zone;
    std::size_t endpoints = 0;
    TimePoint heard = kNow;
    bool cut = false;
    bool demoted = false;
    bool deleted = false;
  };
  std::size_t below(std::size_t limit) { return random_() % limit; }

  void sweep() {
    Brakes::Hearing hearing;
    hearing.registry = registry_;
    hearing.endpoints_of = [this](const std::string& node) { return machines_.at(node).endpoints; };
    for (const auto& [name, machine] : machines_) {
      if (machine.deleted) continue;
      const Duration quiet = now_ - machine.heard;
      if (quiet < 1500ms) {
        ++hearing.heard[machine.zone];
      } else {
        hearing.unheard.push_back({name, machine.zone, machine.heard, quiet >= 10s, machine.demoted});
      }
    }
    for (const auto& [node, held_by] : brakes_.judge(hearing, now_)) {
      if (!held_by.empty()) {
        ++held_;
        continue;
      }
      machines_.at(node).demoted = true;
      take(machines_.at(node).endpoints);
    }
  }
  void forget() {
    brakes_.begin_deletions();
    for (auto& [name, machine] : machines_) {
      if (!machine.demoted || machine.deleted || now_ - machine.heard < 120s) continue;
      if (!brakes_.judge({name, machine.zone, machine.endpoints, registry_}, now_).empty()) continue;
      machine.deleted = true;
      take(machine.endpoints);
    }
  }
  void take(std::size_t endpoints) {
    if (endpoints == 0) return;
    ++gone_;
    taken_.emplace_back(now_, endpoints);
  }
  void expect_within_cap() {
    while (!taken_.empty() && now_ - taken_.front().first >= Brakes::kSweepWindow) taken_.pop_front();
    const std::size_t nodes = taken_.size();
    std::size_t endpoints = 0;
    for (const auto& [at, count] : taken_) endpoints += count;
    ASSERT_TRUE(nodes <= 2 || endpoints * 100 <= 15 * registry_)
        << nodes << " nodes with " << endpoints << " of " << registry_ << " endpoints went within 10 s";
  }

  std::mt19937 random_;
  Brakes brakes_;
  TimePoint now_ = kNow;
  std::map<std::string, Machine> machines_;
  std::size_t registry_ = 0;
  std::deque<std::pair<TimePoint, std::size_t>> taken_;  // within the last kSweepWindow
  std::size_t steps_ = 0;
  std::size_t gone_ = 0;
  std::size_t held_ = 0;
};

/// The number of a part of the seeds, so that the parts can be tested beside each other.
class BrakesProperty : public testing::TestWithParam<std::uint32_t> {
 protected:
  static constexpr std::uint32_t kSeeds = 10;
};

TEST_P(BrakesProperty, no_ten_seconds_ever_take_more_than_the_cap) {
  const char* chosen = std::getenv("MESHDNS_SEED");
  const auto first =
      chosen == nullptr ? 1 + GetParam() * kSeeds : static_cast<std::uint32_t>(std::strtoul(chosen, nullptr, 10));
  std::size_t gone = 0;
  std::size_t held = 0;
  for (std::uint32_t seed = first; seed < first + (chosen == nullptr ? kSeeds : 1U); ++seed) {
    SCOPED_TRACE("MESHDNS_SEED=" + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < 4000 && !testing::Test::HasFatalFailure(); ++i) world.step();
    gone += world.gone();
    held += world.held();
  }
  EXPECT_GT(gone, 0U);
  EXPECT_GT(held, 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BrakesProperty, testing::Range(0U, 6U));

}  // namespace
}  // namespace meshdns::federation
