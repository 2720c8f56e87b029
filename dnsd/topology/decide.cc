#include "dnsd/topology/decide.h"

#include <algorithm>
#include <tuple>

#include "dnsd/topology/distance.h"

namespace meshdns::topology {
namespace {

bool matches(const model::Rung& rung, const model::Locality& client, const model::Locality& place) {
  return std::ranges::all_of(model::kParts,
                             [&](model::Part part) { return !rung.requires_part(part) || same(client, place, part); });
}

/// Where a tier stands among the others: rung, then known distance, then name, then no cluster at all.
struct TierKey {
  std::size_t rung = 0;
  bool no_cluster = false;
  bool unknown_distance = false;
  Duration distance{};
  std::string cluster;

  friend auto operator<=>(const TierKey&, const TierKey&) = default;
};

TierKey key_of(std::size_t index, const model::Rung& rung, const model::Locality& client, const Candidate& candidate,
               const std::map<std::string, model::Cluster>& clusters) {
  TierKey key{.rung = index};
  if (!rung.split_by_cluster()) return key;
  key.cluster = candidate.locality.cluster;
  key.no_cluster = key.cluster.empty();
  const auto far = distance(clusters, client.cluster, key.cluster);
  key.unknown_distance = !far;
  key.distance = far.value_or(Duration::zero());
  return key;
}

std::vector<Tier> build_tiers(const HostPlan& host, const model::Locality& client,
                              const std::map<std::string, model::Cluster>& clusters) {
  std::map<TierKey, std::vector<std::uint32_t>> members;
  const model::Ladder& ladder = host.policy.ladder;
  const model::Locality* place = nullptr;  // of the candidate before: neighbours often share it, and then the tier
  std::vector<std::uint32_t>* same_tier = nullptr;
  for (std::uint32_t i = 0; i < host.candidates.size(); ++i) {
    const Candidate& candidate = host.candidates[i];
    if (candidate.standing == Standing::Out) continue;
    if (place == nullptr || candidate.locality != *place) {
      place = &candidate.locality;
      const auto rung = std::ranges::find_if(ladder, [&](const auto& entry) { return matches(entry, client, *place); });
      const auto index = static_cast<std::size_t>(rung - ladder.begin());
      same_tier = rung == ladder.end() ? nullptr : &members[key_of(index, *rung, client, candidate, clusters)];
    }
    if (same_tier != nullptr) same_tier->push_back(i);
  }
  std::vector<Tier> tiers;
  for (auto& [key, list] : members) {
    const model::Rung& rung = ladder[key.rung];
    Tier tier;
    tier.number = static_cast<std::uint32_t>(tiers.size());
    tier.rung = rung.name;
    tier.split = rung.split_by_cluster();
    tier.cluster = key.cluster;
    if (tier.split && !key.unknown_distance) tier.distance = key.distance;
    tier.members = std::move(list);
    tiers.push_back(std::move(tier));
  }
  return tiers;
}

/// The best standing that any member has, and whether only standbys (weight 0) have it. Serving standbys come before
/// anything that does not serve.
struct Best {
  Standing kind = Standing::Out;
  bool standby = false;
};

Best best_of(const HostPlan& host, const std::vector<Tier>& tiers) {
  auto best = std::make_tuple(Standing::Out, true);
  for (const Tier& tier : tiers) {
    for (const std::uint32_t i : tier.members) {
      const Candidate& candidate = host.candidates[i];
      best = std::min(best, std::make_tuple(candidate.standing, candidate.weight == 0));
    }
  }
  return {std::get<0>(best), std::get<1>(best)};
}

void fill_answering(const HostPlan& host, const Best& best, Decision& out) {
  for (Tier& tier : out.tiers) {
    for (const std::uint32_t i : tier.members) {
      const Candidate& candidate = host.candidates[i];
      if (candidate.standing == best.kind && (candidate.weight == 0) == best.standby) tier.answering.push_back(i);
    }
    if (tier.answering.empty() || out.answer_tier) continue;
    out.answer_tier = tier.number;
    tier.load = 100;
  }
}

/// The first endpoint in doubt that is answered or whose recovery would bring back a closer tier. Where nothing serves
/// every tier would be closer than none.
std::optional<std::uint32_t> find_doubt(const HostPlan& host, const Decision& decision) {
  const bool all = !decision.answer_tier || decision.last_resort();
  for (const Tier& tier : decision.tiers) {
    if (!all && tier.number > *decision.answer_tier) break;
    for (const std::uint32_t i : tier.members) {
      if (host.candidates[i].in_doubt) return i;
    }
  }
  return std::nullopt;
}

Emptiness why_empty(const HostPlan& host, const model::Locality& client, const Decision& decision) {
  if (decision.answer_tier) return Emptiness::None;
  if (!decision.tiers.empty()) return Emptiness::NothingServes;
  const bool has_any = std::ranges::any_of(host.policy.ladder, [](const auto& rung) { return rung.parts == 0; });
  return client.empty() && !has_any ? Emptiness::Unlocated : Emptiness::NoEndpoint;
}

}  // namespace

Decision decide(const HostPlan& host, const model::Locality& client,
                const std::map<std::string, model::Cluster>& clusters) {
  Decision out;
  out.tiers = build_tiers(host, client, clusters);
  const Best best = best_of(host, out.tiers);
  const bool answered = best.kind == Standing::Serving || host.policy.on_empty == model::OnEmpty::LastResort;
  if (best.kind != Standing::Out && answered) {
    out.kind = best.kind;
    out.standby = best.standby;
    fill_answering(host, best, out);
  }
  out.emptiness = why_empty(host, client, out);
  out.in_doubt = find_doubt(host, out);
  out.ttl = out.in_doubt ? host.policy.ttl_min : host.policy.ttl;
  return out;
}

}  // namespace meshdns::topology
