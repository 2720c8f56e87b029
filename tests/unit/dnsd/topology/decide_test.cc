#include "dnsd/topology/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "dnsd/topology/view.h"
#include "tests/support/mesh/worlds.h"

namespace meshdns::topology {
namespace {

using test::described;
using test::World;
using Draw = test::WorldDraw;

template <class Property>
void for_many_worlds(const Property& property) {
  test::for_many_worlds(Draw::Kind::Ladder, property);
}

bool matches(const model::Rung& rung, const model::Locality& a, const model::Locality& b) {
  return std::ranges::all_of(model::kParts, [&](model::Part part) {
    return !rung.requires_part(part) || (!a.part(part).empty() && a.part(part) == b.part(part));
  });
}

bool is_visible(const model::Locality& client, const Candidate& candidate) {
  return candidate.exported || (!client.cluster.empty() && client.cluster == candidate.locality.cluster);
}

TEST(Decide, every_candidate_is_in_the_tier_of_its_first_rung_and_nothing_out_is_in_any) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    std::map<std::uint32_t, const Tier*> tier_of;
    for (const Tier& tier : decision.tiers) {
      for (const auto i : tier.members) ASSERT_TRUE(tier_of.emplace(i, &tier).second) << "in two tiers";
    }
    for (std::uint32_t i = 0; i < world.host.candidates.size(); ++i) {
      const Candidate& candidate = world.host.candidates[i];
      const auto rung = std::ranges::find_if(world.host.policy.ladder, [&](const model::Rung& entry) {
        return matches(entry, world.client, candidate.locality);
      });
      const bool belongs = candidate.standing != Standing::Out && is_visible(world.client, candidate) &&
                           rung != world.host.policy.ladder.end();
      ASSERT_EQ(tier_of.contains(i), belongs);
      if (!belongs) continue;
      ASSERT_EQ(tier_of[i]->rung, rung->name);
      if (rung->split_by_cluster()) {
        ASSERT_EQ(tier_of[i]->cluster, candidate.locality.cluster);
      }
    }
  });
}

TEST(Decide, tiers_are_dense_and_in_order_of_rung_and_distance) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    const auto rung_index = [&](const Tier& tier) {
      return std::ranges::find(world.host.policy.ladder, tier.rung, &model::Rung::name) -
             world.host.policy.ladder.begin();
    };
    for (std::uint32_t i = 0; i < decision.tiers.size(); ++i) {
      const Tier& tier = decision.tiers[i];
      ASSERT_EQ(tier.number, i);
      ASSERT_FALSE(tier.members.empty());
      if (i == 0) continue;
      const Tier& before = decision.tiers[i - 1];
      ASSERT_LE(rung_index(before), rung_index(tier));
      if (before.rung != tier.rung) continue;
      ASSERT_NE(before.cluster, tier.cluster);
      ASSERT_FALSE(before.cluster.empty()) << "those without a cluster come last";
      if (before.distance && tier.distance) {
        ASSERT_LE(*before.distance, *tier.distance);
      }
      ASSERT_TRUE(before.distance || !tier.distance) << "an unknown distance is farther than any known";
    }
  });
}

TEST(Decide, answers_the_best_kind_there_is_from_the_nearest_tier_that_has_it) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    std::uint32_t load = 0;
    auto best = std::make_pair(Standing::Out, true);
    for (const Tier& tier : decision.tiers) {
      load += tier.load;
      for (const auto i : tier.members) {
        const Candidate& candidate = world.host.candidates[i];
        best = std::min(best, std::make_pair(candidate.standing, candidate.weight == 0));
      }
    }
    const bool none = best.first == Standing::Out ||
                      (best.first != Standing::Serving && world.host.policy.on_empty == model::OnEmpty::NoData);
    ASSERT_EQ(decision.answer_tier.has_value(), !none);
    ASSERT_EQ(decision.emptiness == Emptiness::None, !none);
    ASSERT_EQ(load, none ? 0U : 100U);
    if (none) return;
    for (const Tier& tier : decision.tiers) {
      std::vector<std::uint32_t> expected;
      for (const auto i : tier.members) {
        const Candidate& candidate = world.host.candidates[i];
        if (std::make_pair(candidate.standing, candidate.weight == 0) == best) expected.push_back(i);
      }
      ASSERT_EQ(tier.answering, expected);
      if (tier.number < *decision.answer_tier) {
        ASSERT_TRUE(tier.answering.empty());
      }
    }
    ASSERT_FALSE(decision.tiers[*decision.answer_tier].answering.empty());
    ASSERT_EQ(decision.last_resort(), best.first != Standing::Serving);
    ASSERT_EQ(decision.standby, best.second);
  });
}

TEST(Decide, the_order_of_candidates_changes_nothing) {
  for_many_worlds([](const World& world, const Decision& decision, Draw& draw) {
    HostPlan shuffled = world.host;
    draw.shuffle(shuffled.candidates);
    ASSERT_EQ(described(shuffled, decide(shuffled, {world.client}, world.geography())),
              described(world.host, decision));
  });
}

// Guards the answer table, which keeps one answer for a view.
TEST(Decide, clients_of_one_view_get_the_same) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    const auto view = projected(world.client, view_parts(world.host.policy));
    Decision of_view = decide(world.host, {view}, world.geography());
    if (decision.emptiness == Emptiness::NoEndpoint && of_view.emptiness == Emptiness::Unlocated) {
      of_view.emptiness = decision.emptiness;  // the client has a place, but none that this policy looks at
    }
    ASSERT_EQ(described(world.host, of_view), described(world.host, decision));
  });
}

TEST(Decide, the_ttl_is_short_only_for_doubt_that_could_change_the_answer) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    bool doubt = false;
    for (const Tier& tier : decision.tiers) {
      const bool counts = !decision.answer_tier || decision.last_resort() || tier.number <= *decision.answer_tier;
      for (const auto i : tier.members) doubt |= counts && world.host.candidates[i].in_doubt;
    }
    ASSERT_EQ(decision.in_doubt.has_value(), doubt);
    ASSERT_EQ(decision.ttl, doubt ? world.host.policy.ttl_min : world.host.policy.ttl);
    if (doubt) {
      ASSERT_TRUE(world.host.candidates[*decision.in_doubt].in_doubt);
    }
  });
}

// Guards failover: an endpoint that goes only moves the answer on, and back when it returns.
TEST(Decide, a_nearer_serving_tier_is_never_passed_over) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    if (!decision.answer_tier || decision.last_resort()) return;
    HostPlan without = world.host;
    for (const auto i : decision.tiers[*decision.answer_tier].answering)
      without.candidates[i].standing = Standing::Failing;
    const Decision next = decide(without, {world.client}, world.geography());
    if (next.answer_tier && !next.last_resort() && next.standby == decision.standby) {
      ASSERT_GT(*next.answer_tier, *decision.answer_tier);
    }
  });
}

}  // namespace
}  // namespace meshdns::topology
