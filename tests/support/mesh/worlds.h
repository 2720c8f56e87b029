#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "dnsd/topology/decide.h"

namespace meshdns::test {

/// One input of topology::decide(): a host, a client and the known clusters.
struct World {
  topology::HostPlan host;
  model::Locality client;
  std::map<std::string, model::Cluster> clusters;
  std::map<std::string, model::ClusterStatus> statuses;

  topology::Geography geography() const { return {clusters, statuses}; }
  topology::Decision decide() const { return topology::decide(host, {client}, geography()); }
};

/// Draws random worlds from a seed. The same seed gives the same worlds.
class WorldDraw {
 public:
  /// Ladder: policies have only a ladder, and no endpoint is overridden or behind a gateway. Whole: everything.
  enum class Kind { Ladder, Whole };

  WorldDraw(std::uint32_t seed, Kind kind) : random_(seed), kind_(kind) {}

  int below(int end) { return std::uniform_int_distribution(0, end - 1)(random_); }
  bool one_in(int n) { return below(n) == 0; }
  void shuffle(std::vector<topology::Candidate>& candidates) {
    std::shuffle(candidates.begin(), candidates.end(), random_);
  }

  World world() {
    World out;
    out.host.policy = policy();
    for (int i = below(12); i > 0; --i) out.host.candidates.push_back(candidate(i, out.host.policy));
    out.client = place();
    for (const auto* from : kClusters) {
      for (const auto* to : kClusters) {
        if (one_in(2)) out.clusters[from].distances[to] = std::chrono::milliseconds(below(3));
        if (whole() && one_in(3)) out.statuses[from].distances[to] = std::chrono::milliseconds(below(5));
      }
    }
    if (whole()) add_gateways(out);
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

  model::Policy policy() {
    model::Policy out;
    if (one_in(2)) {
      static const std::vector<std::string> kRungs = {"node", "subzone", "cluster+zone", "cluster",
                                                      "zone", "region",  "network",      "any"};
      out.ladder.clear();
      for (const auto& rung : kRungs) {
        if (one_in(2)) out.ladder.push_back(model::parse_rung(rung).value());
      }
    }
    if (one_in(3)) out.on_empty = model::OnEmpty::NoData;
    if (whole()) add_order(out);
    if (whole() && one_in(4)) out.families = model::Families::Independent;
    return out;
  }

 private:
  static constexpr std::array kClusters = {"c1", "c2", "c3"};

  bool whole() const { return kind_ == Kind::Whole; }

  model::Locality selector() {
    model::Locality out = place();
    for (const model::Part part : model::kParts) {
      if (part == model::Part::Node || !one_in(3)) out.part(part).clear();
    }
    if (out.empty()) out.region = "r" + std::to_string(1 + below(3));
    return out;
  }

  void add_order(model::Policy& out) {
    if (one_in(3)) {
      out.fence.emplace();
      if (one_in(2)) out.fence->within = model::kParts[static_cast<std::size_t>(below(6))];
      if (!out.fence->within || one_in(4)) out.fence->regions = {"r1", "r2"};
    }
    if (one_in(3)) out.spill = model::Spill{one_in(2) ? 140U : 100U, one_in(2) ? 50U : 0U};
    const int way = below(4);
    const int rules = 1 + below(2);
    for (int i = 0; way == 1 && i < rules; ++i)
      out.failover.push_back({one_in(2) ? selector() : model::Locality{}, {selector(), selector()}});
    if (way == 2) out.priority_groups = {{{"role", "primary"}}, {{"role", "standby"}}};
    for (int i = 0; way == 3 && i < rules; ++i) {
      const auto percent = static_cast<std::uint32_t>(below(101));
      out.distribute.push_back(
          {one_in(2) ? selector() : model::Locality{}, {{selector(), percent}, {selector(), 100 - percent}}});
    }
  }

  topology::Candidate candidate(int number, const model::Policy& policy) {
    topology::Candidate out;
    out.key = "e" + std::to_string(number);
    out.v4 = IpAddress::v4(0x0A000000U + static_cast<std::uint32_t>(number));
    out.locality = place();
    out.weight = static_cast<std::uint32_t>(below(3));
    out.standing = one_in(2) ? topology::Standing::Serving : static_cast<topology::Standing>(below(5));
    out.in_doubt = one_in(8);
    out.known = out.standing == topology::Standing::Serving;
    out.exported = !one_in(4);
    if (!whole()) return out;
    out.known = out.known || one_in(2);
    out.group = static_cast<std::uint8_t>(below(static_cast<int>(policy.priority_groups.size()) + 1));
    out.start = static_cast<std::uint8_t>(one_in(4) ? 10 * (1 + below(10)) : 100);
    return out;
  }

  void add_gateways(World& out) {
    std::uint32_t number = 0;
    for (const auto* name : kClusters) {
      model::Cluster& cluster = out.clusters[name];
      if (one_in(2)) cluster.locality.network = "net" + std::to_string(1 + below(3));
      for (int i = one_in(2) ? 0 : 1 + below(2); i > 0; --i) {
        cluster.gateways.push_back({IpAddress::v4(0xC0A80001U + number++), {{"http", 80, "TCP", ""}}});
        if (one_in(3))
          out.statuses[kClusters[static_cast<std::size_t>(below(3))]].gateways_down.insert(
              cluster.gateways.back().address);
      }
    }
  }

  std::minstd_rand random_;
  Kind kind_;
};

/// Checks a property in 3,000 random worlds; a failure names the seed.
/// property: (const World&, const topology::Decision&, WorldDraw&)
template <class Property>
void for_many_worlds(WorldDraw::Kind kind, const Property& property) {
  for (std::uint32_t seed = 1; seed <= 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    WorldDraw draw(seed, kind);
    const World world = draw.world();
    property(world, world.decide(), draw);
  }
}

/// Returns a decision as text, with keys instead of indexes, so that decisions can be compared between orders of the
/// candidates.
inline std::vector<std::string> described(const topology::HostPlan& host, const topology::Decision& decision) {
  const auto keys = [&](const std::vector<std::uint32_t>& indexes) {
    std::vector<std::string> out;
    for (const auto i : indexes) out.push_back(host.candidates[i].key);
    std::ranges::sort(out);
    std::string text;
    for (const auto& key : out) text += " " + key;
    return text;
  };
  std::vector<std::string> out;
  for (const topology::Tier& tier : decision.tiers) {
    std::string text = std::to_string(tier.number) + " " + tier.part + " " + tier.rung + " " + tier.cluster + " " +
                       std::to_string(tier.distance.value_or(-1ns).count()) + " " + std::to_string(tier.health) + " " +
                       std::to_string(tier.load) + (tier.panic ? " panic:" : ":") + keys(tier.members) + " answering" +
                       keys(tier.answering);
    std::vector<std::string> gateways;
    for (const auto& target : tier.gateways) {
      gateways.push_back(" " + target.gateway->address.text() + "x" + std::to_string(target.hundredths));
    }
    std::ranges::sort(gateways);
    for (const auto& gateway : gateways) text += gateway;
    out.push_back(text);
  }
  out.push_back(std::to_string(decision.answer_tier.value_or(999)) + " " + std::string(standing_name(decision.kind)) +
                (decision.standby ? " standby" : "") + " " + std::to_string(static_cast<int>(decision.emptiness)) +
                " " + std::to_string(decision.ttl.count()));
  return out;
}

}  // namespace meshdns::test
