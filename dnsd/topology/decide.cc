#include "dnsd/topology/decide.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "dnsd/topology/distance.h"
#include "dnsd/topology/gateways.h"
#include "dnsd/topology/loads.h"
#include "dnsd/topology/steps.h"

namespace meshdns::topology {
namespace {

/// Where a tier stands among the others: share or group, step, then known distance, then name, then no cluster at all.
struct TierKey {
  std::size_t major = 0;
  std::size_t step = 0;
  bool no_cluster = false;
  bool unknown_distance = false;
  Duration distance{};
  std::string cluster;

  friend auto operator<=>(const TierKey&, const TierKey&) = default;
};

/// All of one decision; the parts come one after the other.
class Decider {
 public:
  Decider(const HostPlan& host, const Client& client, const Geography& geography)
      : host_(host), client_(client), geography_(geography), steps_(host.policy, client.place) {}

  Decision run() {
    place_candidates();
    build_tiers();
    find_best();
    if (best_kind_ != Standing::Out && (serves() || host_.policy.on_empty == model::OnEmpty::LastResort)) {
      out_.kind = best_kind_;
      out_.standby = best_standby_;
      weigh();
      fill_answering();
    }
    out_.distributed = steps_.distribute() != nullptr;
    out_.emptiness = why_empty();
    out_.in_doubt = find_doubt();
    out_.ttl = out_.in_doubt ? host_.policy.ttl_min : host_.policy.ttl;
    return std::move(out_);
  }

 private:
  using Members = std::vector<std::uint32_t>;

  /// What is the same for all candidates of one place.
  struct Spot {
    const model::Locality* place = nullptr;
    bool admitted = false;  // inside the fence, and some step is for it
    TierKey key;
    Route route;
    std::map<std::size_t, Members*> tiers;  // by major
  };

  bool is_same_spot(const model::Locality& a, const model::Locality& b) const {
    return &a == &b || std::ranges::all_of(model::kParts, [&](model::Part part) {
      return ((steps_.place_parts() >> static_cast<unsigned>(part)) & 1U) == 0 || a.part(part) == b.part(part);
    });
  }

  Spot& spot_of(const model::Locality& place) {
    if (last_spot_ != nullptr && is_same_spot(*last_spot_->place, place))
      return *last_spot_;  // neighbours often share it
    const auto [begin, end] = by_hash_.equal_range(spot_hash(place));
    const auto known =
        std::find_if(begin, end, [&](const auto& entry) { return is_same_spot(*entry.second->place, place); });
    if (known != end) return *(last_spot_ = known->second);
    last_spot_ = &spots_.emplace_back(look_at(place));
    by_hash_.emplace(spot_hash(place), last_spot_);
    return *last_spot_;
  }

  std::size_t spot_hash(const model::Locality& place) const {
    std::size_t hash = 0;
    for (const model::Part part : model::kParts) {
      if (((steps_.place_parts() >> static_cast<unsigned>(part)) & 1U) == 0) continue;
      hash = hash * 31 + std::hash<std::string>()(place.part(part));
    }
    return hash;
  }

  Spot look_at(const model::Locality& place) {
    Spot spot{.place = &place};
    if (!steps_.admits(place)) return spot;
    inside_ = true;
    const auto step = steps_.of(place);
    if (!step) return spot;
    spot.admitted = true;
    spot.key.step = *step;
    spot.route = route_to(geography_, client_.place, place);
    if (!steps_[*step].split) return spot;
    spot.key.cluster = place.cluster;
    spot.key.no_cluster = place.cluster.empty();
    const auto far = distance(geography_, client_.place.cluster, place.cluster);
    spot.key.unknown_distance = !far;
    spot.key.distance = far.value_or(Duration::zero());
    return spot;
  }

  std::size_t major_of(const Candidate& candidate) const {
    if (!host_.policy.priority_groups.empty()) return candidate.group;
    return steps_.distribute() == nullptr ? 0 : steps_.share_of(candidate.locality);
  }

  void place_candidates() {
    routes_.resize(host_.candidates.size(), nullptr);
    for (std::uint32_t i = 0; i < host_.candidates.size(); ++i) {
      const Candidate& candidate = host_.candidates[i];
      out_.standings.push_back(candidate.standing);
      if (candidate.standing == Standing::Out && !candidate.known) continue;
      Spot& spot = spot_of(candidate.locality);
      if (!spot.admitted) continue;
      const bool blocked = spot.route.kind == Route::Kind::Blocked;
      if (blocked) out_.standings.back() = std::max(candidate.standing, Standing::Failing);
      if (!spot.route.gateways.empty()) routes_[i] = &spot.route;
      Members*& tier = spot.tiers[major_of(candidate)];
      if (tier == nullptr) {
        TierKey key = spot.key;
        key.major = major_of(candidate);
        tier = &members_[key];
      }
      tier->push_back(i);
    }
  }

  std::string part_text(std::size_t major) const {
    const auto& groups = host_.policy.priority_groups;
    if (!groups.empty()) {
      if (major >= groups.size()) return "no group";
      std::string text = "group";
      for (const auto& [name, value] : groups[major]) text += " " + name + "=" + value;
      return text;
    }
    if (steps_.distribute() == nullptr) return "";
    const auto& shares = steps_.distribute()->to;
    if (major >= shares.size()) return "no share";
    return std::to_string(shares[major].percent) + "% " + selector_text(shares[major].to);
  }

  void build_tiers() {
    for (auto& [key, list] : members_) {
      const Step& step = steps_[key.step];
      Tier tier;
      tier.number = static_cast<std::uint32_t>(out_.tiers.size());
      tier.rung = step.name();
      tier.part = part_text(key.major);
      tier.split = step.split;
      tier.cluster = key.cluster;
      if (tier.split && !key.unknown_distance) tier.distance = key.distance;
      tier.members = std::move(list);
      majors_.push_back(key.major);
      out_.tiers.push_back(std::move(tier));
    }
  }

  /// The best standing that any member has, and whether only standbys (weight 0) have it. Serving standbys come before
  /// anything that does not serve.
  void find_best() {
    auto best = std::make_tuple(Standing::Out, true);
    for (const Tier& tier : out_.tiers) {
      for (const std::uint32_t i : tier.members) {
        best = std::min(best, std::make_tuple(out_.standings[i], host_.candidates[i].weight == 0));
      }
    }
    std::tie(best_kind_, best_standby_) = best;
  }

  bool serves() const { return best_kind_ == Standing::Serving; }

  /// Standbys count where nothing else serves, as 1.
  std::uint64_t weight_of(std::uint32_t i) const {
    const std::uint32_t weight = host_.candidates[i].weight;
    return weight == 0 && best_standby_ ? 1 : weight;
  }

  TierWeights weights_of(const Tier& tier) const {
    TierWeights out;
    for (const std::uint32_t i : tier.members) {
      const std::uint64_t weight = weight_of(i);
      if (out_.standings[i] == Standing::Serving) out.serving += weight;
      if (host_.candidates[i].known || out_.standings[i] == Standing::Serving) out.known += weight;
    }
    return out;
  }

  /// Health, loads and panic of the tiers. Where nothing serves, the nearest tier of the best kind has all the load.
  void weigh() {
    if (!serves()) return give_all_to_nearest();
    std::vector<std::uint32_t> healths;
    std::vector<TierWeights> weights;
    for (Tier& tier : out_.tiers) {
      weights.push_back(weights_of(tier));
      tier.health = health_of(weights.back(), host_.policy.spill);
      healths.push_back(tier.health);
    }
    const auto loads = loads_of(healths);
    for (std::size_t i = 0; i < loads.size(); ++i) out_.tiers[i].load = loads[i];
    const std::uint32_t below = host_.policy.spill ? host_.policy.spill->panic_below : 0;
    if (below == 0 || health_together(healths) >= 100) return;
    for (std::size_t i = 0; i < weights.size() && i < 64; ++i) {
      out_.tiers[i].panic = is_panic(weights[i], below, ((client_.panic >> i) & 1U) != 0);
      if (out_.tiers[i].panic) out_.panic |= std::uint64_t{1} << i;
    }
  }

  std::vector<std::uint32_t> loads_of(const std::vector<std::uint32_t>& healths) const {
    if (steps_.distribute() == nullptr) return loads_in_turn(healths);
    std::vector<std::uint32_t> percents;
    for (const auto& share : steps_.distribute()->to) percents.push_back(share.percent);
    return loads_by_share(healths, majors_, percents);
  }

  void give_all_to_nearest() {
    for (Tier& tier : out_.tiers) {
      if (!std::ranges::any_of(tier.members, [&](std::uint32_t i) { return is_answered(tier, i); })) continue;
      tier.load = 100;
      return;
    }
  }

  bool is_answered(const Tier& tier, std::uint32_t i) const {
    if (host_.candidates[i].weight == 0 && !best_standby_) return false;
    return out_.standings[i] == best_kind_ || (tier.panic && out_.standings[i] != Standing::Out);
  }

  void fill_answering() {
    for (Tier& tier : out_.tiers) {
      for (const std::uint32_t i : tier.members) {
        if (is_answered(tier, i)) tier.answering.push_back(i);
      }
      substitute_gateways(tier);
      if (tier.load > 0 && !out_.answer_tier) out_.answer_tier = tier.number;
    }
  }

  void substitute_gateways(Tier& tier) const {
    for (const std::uint32_t i : tier.answering) {
      if (routes_[i] == nullptr) {
        tier.direct.push_back(i);
        continue;
      }
      for (const model::Gateway* gateway : routes_[i]->gateways) {
        const auto known = std::ranges::find_if(
            tier.gateways, [&](const GatewayTarget& target) { return target.gateway->address == gateway->address; });
        GatewayTarget& target =
            known != tier.gateways.end() ? *known : tier.gateways.emplace_back(GatewayTarget{gateway, 0, {}});
        target.weight += std::max<std::uint64_t>(1, weight_of(i));
        target.members.push_back(i);
      }
    }
  }

  /// The first endpoint in doubt that is answered or whose recovery would bring back a closer tier. Where nothing
  /// serves every tier would be closer than none.
  std::optional<std::uint32_t> find_doubt() const {
    const bool all = !out_.answer_tier || out_.last_resort();
    std::size_t last = 0;  // with a load
    for (const Tier& tier : out_.tiers) {
      if (tier.load > 0) last = tier.number;
    }
    for (const Tier& tier : out_.tiers) {
      if (!all && tier.number > last) break;
      for (const std::uint32_t i : tier.members) {
        if (host_.candidates[i].in_doubt) return i;
      }
    }
    return std::nullopt;
  }

  Emptiness why_empty() const {
    if (out_.answer_tier) return Emptiness::None;
    if (!out_.tiers.empty()) {
      return best_kind_ == Standing::Out ? Emptiness::ForcedDown : Emptiness::NothingServes;
    }
    if (steps_.fence_unknown() && !host_.candidates.empty()) return Emptiness::FenceUnknown;
    if (!inside_ && !spots_.empty()) return Emptiness::Fenced;
    const bool has_any = std::ranges::any_of(host_.policy.ladder, [](const auto& rung) { return rung.parts == 0; });
    return client_.place.empty() && !has_any ? Emptiness::Unlocated : Emptiness::NoEndpoint;
  }

  const HostPlan& host_;
  const Client& client_;
  const Geography& geography_;
  const Steps steps_;
  std::deque<Spot> spots_;  // routes refer to them
  Spot* last_spot_ = nullptr;
  std::unordered_multimap<std::size_t, Spot*> by_hash_;
  std::vector<const Route*> routes_;  // by candidate; null = reached directly, or not at all
  std::map<TierKey, Members> members_;
  std::vector<std::size_t> majors_;  // by tier
  bool inside_ = false;              // the fence admits some place of a candidate
  Standing best_kind_ = Standing::Out;
  bool best_standby_ = false;
  Decision out_;
};

}  // namespace

Decision decide(const HostPlan& host, const Client& client, const Geography& geography) {
  return Decider(host, client, geography).run();
}

}  // namespace meshdns::topology
