#include "dnsd/topology/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "dnsd/topology/view.h"

namespace meshdns::topology {
namespace {

using Clusters = std::map<std::string, model::Cluster>;

const std::map<std::string, model::ClusterStatus> kNothingMeasured;

/// A host, a client and clusters as they may come.
struct World {
  HostPlan host;
  model::Locality client;
  Clusters clusters;
};

class Draw {
 public:
  explicit Draw(std::uint32_t seed) : random_(seed) {}

  int below(int end) { return std::uniform_int_distribution(0, end - 1)(random_); }
  bool one_in(int n) { return below(n) == 0; }

  World world() {
    World out;
    out.host.policy = policy();
    for (int i = below(12); i > 0; --i) out.host.candidates.push_back(candidate(i));
    out.client = place();
    for (const auto* from : kClusters) {
      for (const auto* to : kClusters) {
        if (one_in(2)) out.clusters[from].distances[to] = std::chrono::milliseconds(below(3));
      }
    }
    return out;
  }
  void shuffle(std::vector<Candidate>& candidates) { std::shuffle(candidates.begin(), candidates.end(), random_); }

 private:
  static constexpr std::array kClusters = {"c1", "c2", "c3"};

  model::Policy policy() {
    model::Policy out;
    if (one_in(2)) {
      static const std::vector<std::string> kRungs = {"node", "subzone", "cluster+zone", "cluster",
                                                      "zone", "region",  "any"};
      out.ladder.clear();
      for (const auto& rung : kRungs) {
        if (one_in(2)) out.ladder.push_back(model::parse_rung(rung).value());
      }
    }
    if (one_in(3)) out.on_empty = model::OnEmpty::NoData;
    return out;
  }
  Candidate candidate(int number) {
    Candidate out;
    out.key = "e" + std::to_string(number);
    out.locality = place();
    out.weight = static_cast<std::uint32_t>(below(3));
    out.standing = one_in(2) ? Standing::Serving : static_cast<Standing>(below(5));
    out.in_doubt = one_in(8);
    return out;
  }
  model::Locality place() {
    model::Locality out;
    const auto any_of = [this](const std::string& prefix) {
      return one_in(6) ? std::string() : prefix + std::to_string(1 + below(3));
    };
    out.network = any_of("net");
    out.region = any_of("r");
    out.zone = any_of("z");
    out.subzone = any_of("s");
    out.cluster = any_of("c");
    out.node = any_of("n");
    return out;
  }

  std::minstd_rand random_;
};

/// Runs a property over many worlds; a failure names the seed.
template <class Property>
void for_many_worlds(const Property& property) {
  for (std::uint32_t seed = 1; seed <= 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    const World world = draw.world();
    property(world, decide(world.host, {world.client}, {world.clusters, kNothingMeasured}), draw);
  }
}

std::set<std::string> keys(const HostPlan& host, const std::vector<std::uint32_t>& indexes) {
  std::set<std::string> out;
  for (const auto i : indexes) out.insert(host.candidates[i].key);
  return out;
}

/// Tiers by keys instead of indexes: comparable between orders of candidates.
std::vector<std::string> described(const HostPlan& host, const Decision& decision) {
  std::vector<std::string> out;
  for (const Tier& tier : decision.tiers) {
    std::string text = std::to_string(tier.number) + " " + tier.rung + " " + tier.cluster + " " +
                       std::to_string(tier.distance.value_or(-1ns).count()) + " " + std::to_string(tier.load) + ":";
    for (const auto& key : keys(host, tier.members)) text += " " + key;
    text += " answering";
    for (const auto& key : keys(host, tier.answering)) text += " " + key;
    out.push_back(text);
  }
  out.push_back(std::to_string(decision.answer_tier.value_or(999)) + " " + std::string(standing_name(decision.kind)) +
                (decision.standby ? " standby" : "") + " " + std::to_string(static_cast<int>(decision.emptiness)) +
                " " + std::to_string(decision.ttl.count()));
  return out;
}

bool matches(const model::Rung& rung, const model::Locality& a, const model::Locality& b) {
  return std::ranges::all_of(model::kParts, [&](model::Part part) {
    return !rung.requires_part(part) || (!a.part(part).empty() && a.part(part) == b.part(part));
  });
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
      const bool belongs = candidate.standing != Standing::Out && rung != world.host.policy.ladder.end();
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
    ASSERT_EQ(described(shuffled, decide(shuffled, {world.client}, {world.clusters, kNothingMeasured})),
              described(world.host, decision));
  });
}

// Guards the answer table, which keeps one answer for a view.
TEST(Decide, clients_of_one_view_get_the_same) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    const auto view = projected(world.client, view_parts(world.host.policy));
    Decision of_view = decide(world.host, {view}, {world.clusters, kNothingMeasured});
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
    const Decision next = decide(without, {world.client}, {world.clusters, kNothingMeasured});
    if (next.answer_tier && !next.last_resort() && next.standby == decision.standby) {
      ASSERT_GT(*next.answer_tier, *decision.answer_tier);
    }
  });
}

}  // namespace
}  // namespace meshdns::topology
