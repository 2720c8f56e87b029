// What holds for whole policies, whatever comes: with fences, failover, groups, shares, spill, panic and gateways.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "common/base/text.h"
#include "dnsd/topology/decide.h"
#include "dnsd/topology/gateways.h"
#include "dnsd/topology/steps.h"
#include "dnsd/topology/view.h"
#include "tests/support/mesh/worlds.h"

namespace meshdns::topology {
namespace {

using test::described;
using test::World;
using Draw = test::WorldDraw;

template <class Property>
void for_many_worlds(const Property& property) {
  test::for_many_worlds(Draw::Kind::Whole, property);
}

TEST(WholePolicy, loads_sum_to_100_and_are_of_tiers_that_are_answered) {
  for_many_worlds([](const World&, const Decision& decision, Draw&) {
    std::uint32_t sum = 0;
    for (const Tier& tier : decision.tiers) {
      sum += tier.load;
      if (tier.load > 0) {
        ASSERT_FALSE(tier.answering.empty());
        ASSERT_GT(tier.targets(), 0U);
      }
    }
    ASSERT_EQ(sum, decision.answer_tier ? 100U : 0U);
  });
}

TEST(WholePolicy, what_is_out_or_outside_the_fence_is_never_answered) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    const Steps steps(world.host.policy, world.client);
    for (const Tier& tier : decision.tiers) {
      for (const auto i : tier.members) ASSERT_TRUE(steps.admits(world.host.candidates[i].locality));
      for (const auto i : tier.answering) ASSERT_NE(world.host.candidates[i].standing, Standing::Out);
    }
  });
}

// The oracle is the same mesh without the endpoints that the client must not see.
TEST(WholePolicy, what_is_not_exported_is_as_good_as_absent_in_other_clusters) {
  std::size_t hidden = 0, nothing_left = 0;
  for_many_worlds([&](const World& world, const Decision& decision, Draw&) {
    World visible = world;
    std::erase_if(visible.host.candidates, [&](const Candidate& candidate) {
      const bool home = !world.client.cluster.empty() && world.client.cluster == candidate.locality.cluster;
      return !candidate.exported && !home;
    });
    for (Candidate& candidate : visible.host.candidates) candidate.exported = true;
    hidden += world.host.candidates.size() - visible.host.candidates.size();
    if (!visible.host.candidates.empty() || world.host.candidates.empty()) {
      ASSERT_EQ(described(visible.host, visible.decide()), described(world.host, decision));
      return;
    }
    ++nothing_left;
    ASSERT_TRUE(decision.tiers.empty());
    const bool known = std::ranges::all_of(world.host.candidates, [](const Candidate& candidate) {
      return candidate.known || candidate.standing != Standing::Out;
    });
    if (known) {
      ASSERT_EQ(decision.emptiness, Emptiness::NotExported);
    }
  });
  EXPECT_GT(hidden, 100U);
  EXPECT_GT(nothing_left, 10U);
}

// Spill and panic aside: they give load away, and answer what fails, on purpose.
TEST(WholePolicy, what_serves_inside_the_fence_is_never_hidden_behind_what_is_worse) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    if (world.host.policy.spill || !world.host.policy.distribute.empty()) return;
    const Steps steps(world.host.policy, world.client);
    for (std::uint32_t i = 0; i < world.host.candidates.size(); ++i) {
      const Candidate& candidate = world.host.candidates[i];
      const bool visible =
          candidate.exported || (!world.client.cluster.empty() && world.client.cluster == candidate.locality.cluster);
      const bool reachable = visible && steps.admits(candidate.locality) && steps.of(candidate.locality) &&
                             route_to(world.geography(), world.client, candidate.locality).kind != Route::Kind::Blocked;
      if (candidate.standing != Standing::Serving || candidate.weight == 0 || !reachable) continue;
      ASSERT_TRUE(decision.answer_tier) << candidate.key << " serves";
      ASSERT_EQ(decision.kind, Standing::Serving);
      ASSERT_FALSE(decision.standby);
      const auto own = std::ranges::find_if(decision.tiers, [&](const Tier& tier) {
        return std::ranges::find(tier.answering, i) != tier.answering.end();
      });
      ASSERT_NE(own, decision.tiers.end()) << candidate.key;
      ASSERT_LE(*decision.answer_tier, own->number) << candidate.key;
    }
  });
}

TEST(WholePolicy, endpoints_behind_gateways_are_answered_by_gateways_that_can_be_reached) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    for (const Tier& tier : decision.tiers) {
      if (tier.gateways.empty()) continue;
      std::set<IpAddress> addresses;
      std::set<std::uint32_t> direct(tier.direct.begin(), tier.direct.end());
      for (const GatewayTarget& target : tier.gateways) {
        ASSERT_TRUE(addresses.insert(target.gateway->address).second) << "twice";
        ASSERT_FALSE(target.members.empty());
        const auto status = world.statuses.find(world.client.cluster);
        const bool down =
            status != world.statuses.end() && status->second.gateways_down.contains(target.gateway->address);
        // only where none can be reached, and then for what is said to fail
        for (const auto i : target.members) ASSERT_TRUE(!down || decision.standings[i] == Standing::Failing);
      }
      for (const auto i : tier.answering) {
        const std::string& network = world.host.candidates[i].locality.network;
        if (direct.contains(i) || network == world.client.network) continue;
        ASSERT_FALSE(network.empty() || world.client.network.empty());
      }
    }
  });
}

/// What a failover rule takes for the client's own, said another way than in Steps.
bool is_own(const model::Locality& from, const model::Locality& client, const model::Locality& place) {
  const auto equal = [](const std::string& a, const std::string& b) { return !a.empty() && a == b; };
  const bool region = equal(client.region, place.region);
  const bool zone = region && equal(client.zone, place.zone);
  const bool subzone = zone && equal(client.subzone, place.subzone);
  const bool cluster = equal(client.cluster, place.cluster);
  if (from.empty()) return region;
  return (from.network.empty() || !from.cluster.empty() || equal(client.network, place.network)) &&
         (from.region.empty() || !from.cluster.empty() || region) && (from.zone.empty() || zone) &&
         (from.subzone.empty() || subzone) && (from.cluster.empty() || cluster);
}

TEST(WholePolicy, places_of_a_failover_rule_come_behind_what_is_own_and_in_their_order) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    const model::Failover* rule = rule_for(world.host.policy.failover, world.client);
    if (rule == nullptr) return;
    std::optional<std::uint32_t> first_place;
    std::size_t last_to = 0;
    for (const Tier& tier : decision.tiers) {
      const bool is_place = tier.rung.starts_with("failover ");
      if (is_place && !first_place) first_place = tier.number;
      for (const auto i : tier.members) {
        const model::Locality& place = world.host.candidates[i].locality;
        ASSERT_FALSE(is_own(rule->from, world.client, place) && first_place) << "own behind a place";
        const auto to = std::ranges::find_if(rule->to, [&](const auto& entry) { return covers(entry, place); });
        if (is_place) {
          const auto at = static_cast<std::size_t>(to - rule->to.begin());
          ASSERT_GE(at, last_to);
          last_to = at;
          ASSERT_EQ(tier.rung, "failover " + selector_text(*to));
        } else if (first_place) {
          ASSERT_EQ(to, rule->to.end()) << "listed, and behind the places";
        }
      }
    }
  });
}

TEST(WholePolicy, gateways_share_the_weight_of_what_they_stand_for) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    for (const Tier& tier : decision.tiers) {
      if (tier.gateways.empty()) continue;
      std::uint64_t given = 0, stood_for = 0;
      std::set<std::uint32_t> members;
      for (const GatewayTarget& target : tier.gateways) {
        given += target.hundredths;
        members.insert(target.members.begin(), target.members.end());
      }
      for (const auto i : members) stood_for += 100 * std::max(1U, world.host.candidates[i].weight);
      ASSERT_EQ(given, stood_for);
    }
  });
}

TEST(WholePolicy, the_order_of_candidates_changes_nothing) {
  for_many_worlds([](const World& world, const Decision& decision, Draw& draw) {
    World shuffled = world;
    draw.shuffle(shuffled.host.candidates);
    ASSERT_EQ(described(shuffled.host, shuffled.decide()), described(world.host, decision));
  });
}

// Guards the answer table, which keeps one answer for a view.
TEST(WholePolicy, clients_of_one_view_get_the_same) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    const auto parts = static_cast<std::uint8_t>(view_parts(world.host.policy) | gateway_parts());
    World viewed = world;
    viewed.client = projected(world.client, parts);
    Decision of_view = viewed.decide();
    if (decision.emptiness == Emptiness::NoEndpoint && of_view.emptiness == Emptiness::Unlocated) {
      of_view.emptiness = decision.emptiness;  // the client has a place, but none that this policy looks at
    }
    ASSERT_EQ(described(viewed.host, of_view), described(world.host, decision));
  });
}

// A panic that was there ends later than it begins, and asking twice with what came out changes nothing.
TEST(WholePolicy, a_panic_goes_on_until_it_is_well_over) {
  for_many_worlds([](const World& world, const Decision& decision, Draw&) {
    const Decision again = decide(world.host, {world.client, decision.panic}, world.geography());
    ASSERT_EQ(again.panic, decision.panic);
    const Decision from_all = decide(world.host, {world.client, ~std::uint64_t{0}}, world.geography());
    ASSERT_EQ(from_all.panic & decision.panic, decision.panic);
    for (std::size_t i = 0; i < decision.tiers.size(); ++i) ASSERT_EQ(from_all.tiers[i].load, decision.tiers[i].load);
  });
}

/// The same names in other letters, drawn for each place.
void respell(model::Locality& place, Draw& draw) {
  for (const model::Part part : model::kParts) {
    for (char& letter : place.part(part)) {
      if (letter >= 'a' && letter <= 'z' && draw.one_in(2)) letter = static_cast<char>(letter - 'a' + 'A');
    }
  }
}

std::string respelt(const std::string& cluster, Draw& draw) {
  model::Locality place{.cluster = cluster};
  respell(place, draw);
  return place.cluster;
}

// Guards against places that are one in DNS and two in the policy.
TEST(WholePolicy, the_case_of_letters_changes_nothing) {
  for_many_worlds([](const World& world, const Decision& decision, Draw& draw) {
    World other = world;
    respell(other.client, draw);
    for (Candidate& candidate : other.host.candidates) respell(candidate.locality, draw);
    for (auto& rule : other.host.policy.failover) {
      respell(rule.from, draw);
      for (auto& to : rule.to) respell(to, draw);
    }
    for (auto& rule : other.host.policy.distribute) {
      respell(rule.from, draw);
      for (auto& share : rule.to) respell(share.to, draw);
    }
    if (other.host.policy.fence) {
      for (auto& region : other.host.policy.fence->regions) region = respelt(region, draw);
    }
    other.clusters.clear();
    for (auto [name, cluster] : world.clusters) {
      respell(cluster.locality, draw);
      const auto distances = std::exchange(cluster.distances, {});
      for (const auto& [to, far] : distances) cluster.distances[respelt(to, draw)] = far;
      other.clusters[respelt(name, draw)] = cluster;
    }
    const auto folded = [](const World& of, const Decision& decided) {
      std::vector<std::string> out;
      for (const std::string& line : described(of.host, decided)) out.push_back(ascii_lower(line));
      return out;
    };
    ASSERT_EQ(folded(other, other.decide()), folded(world, decision));
  });
}

/// Another name for each cluster, in another order.
std::string relabelled(const std::string& cluster) {
  static const std::map<std::string, std::string> kNames = {{"c1", "x9"}, {"c2", "b"}, {"c3", "m5"}};
  const auto found = kNames.find(cluster);
  return found == kNames.end() ? cluster : found->second;
}

TEST(WholePolicy, names_of_clusters_do_not_matter_where_all_distances_are_set) {
  for_many_worlds([](const World& world, const Decision&, Draw& draw) {
    World plain = world;
    plain.statuses.clear();
    std::vector<int> milliseconds(9);
    std::iota(milliseconds.begin(), milliseconds.end(), 1);
    for (auto& [from, cluster] : plain.clusters) {
      cluster.gateways.clear();
      for (const auto* to : {"c1", "c2", "c3"}) {
        const auto at = draw.below(static_cast<int>(milliseconds.size()));
        cluster.distances[to] = std::chrono::milliseconds(milliseconds[static_cast<std::size_t>(at)]);
        milliseconds.erase(milliseconds.begin() + at);
      }
    }
    if (plain.client.cluster.empty()) plain.client.cluster = "c1";  // else no distance is set for it
    World named = plain;
    named.client.cluster = relabelled(plain.client.cluster);
    const auto rename = [](model::Locality& place) { place.cluster = relabelled(place.cluster); };
    for (Candidate& candidate : named.host.candidates) rename(candidate.locality);
    for (auto& rule : named.host.policy.failover) {
      rename(rule.from);
      for (auto& to : rule.to) rename(to);
    }
    for (auto& rule : named.host.policy.distribute) {
      rename(rule.from);
      for (auto& share : rule.to) rename(share.to);
    }
    named.clusters.clear();
    for (const auto& [from, cluster] : plain.clusters) {
      model::Cluster& other = named.clusters[relabelled(from)];
      for (const auto& [to, far] : cluster.distances) other.distances[relabelled(to)] = far;
    }
    const Decision before = plain.decide();
    const Decision after = named.decide();
    ASSERT_EQ(before.tiers.size(), after.tiers.size());
    ASSERT_EQ(before.answer_tier, after.answer_tier);
    for (std::size_t i = 0; i < before.tiers.size(); ++i) {
      ASSERT_EQ(before.tiers[i].members, after.tiers[i].members);
      ASSERT_EQ(before.tiers[i].answering, after.tiers[i].answering);
      ASSERT_EQ(before.tiers[i].load, after.tiers[i].load);
      ASSERT_EQ(relabelled(before.tiers[i].cluster), after.tiers[i].cluster);
    }
  });
}

}  // namespace
}  // namespace meshdns::topology
