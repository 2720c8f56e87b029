#include "dnsd/topology/decide.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "dnsd/topology/loads.h"
#include "dnsd/topology/outlook.h"

// How it works. A decision is made in this order; each step reads what the steps before have written.
//
//   place_candidates  candidate -> spot -> TierKey. A candidate outside the fence, in no step of the ladder, or not
//                     exported to the client, is in no tier. A candidate behind gateways that are all down fails for
//                     this client.
//   build_tiers       the map of TierKeys is in the order of closeness: numbering it from 0 numbers the tiers
//   find_best         the best standing of all members. Nothing below it is ever answered, except in panic
//   weigh             health, load and panic of each tier (see loads.h)
//   fill_answering    the members that are answered; gateways replace members in other networks
//   find_doubt        shortens the TTL if something that is answered, or would be closer, may change soon
//
// The order matters in two places. Endpoints behind dead gateways fail before health is computed, so that load leaves a
// cluster that cannot be reached. Gateways replace endpoints after loads are computed, so that tiers and health always
// come from the endpoints themselves.
//
// Not done here: time (slow start and forgetting are in the plan), random draws (a query makes them), and memory,
// except the panic bits that the caller hands in.

namespace meshdns::topology {
namespace {

/// Makes one decision. run() calls the parts in order; no part works without the parts before it.
class Decider {
 public:
  /// The plan, the spots and the outlook must outlive this.
  /// panic: Client::panic
  Decider(const HostPlan& host, const Spots& spots, const Outlook& outlook, std::uint64_t panic)
      : host_(host), spots_(spots), outlook_(outlook), steps_(outlook.steps), panic_(panic) {}

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

  /// Returns the members of the tier that a candidate in this spot belongs to, and adds the tier if it is new.
  Members& tier_of(std::uint32_t spot, const Candidate& candidate) {
    const Sight& sight = outlook_.sights[spot];
    if (!host_.policy.priority_groups.empty()) {
      TierKey key = sight.key;
      key.major = candidate.group;
      return members_[key];
    }
    if (tiers_[spot] == nullptr) tiers_[spot] = &members_[sight.key];
    return *tiers_[spot];
  }

  void place_candidates() {
    const std::size_t count = host_.candidates.size();
    tiers_.resize(spots_.places().size(), nullptr);
    routes_.resize(count, nullptr);
    out_.standings.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const Candidate& candidate = host_.candidates[i];
      out_.standings.push_back(candidate.standing);
      const std::uint32_t spot = spots_.of(i);
      if (spot == Spots::kNone || !outlook_.sights[spot].admitted || is_hidden(i)) continue;
      const Route& route = outlook_.sights[spot].route;
      if (route.kind == Route::Kind::Blocked) {
        out_.standings.back() = std::max(candidate.standing, Standing::Failing);
      }
      if (!route.gateways.empty()) routes_[i] = &route;
      tier_of(spot, candidate).push_back(i);
    }
  }

  /// Returns whether a candidate is not exported, and the client is not in its cluster.
  /// requires: the candidate has a spot
  bool is_hidden(std::uint32_t i) const { return !host_.candidates[i].exported && !outlook_.sights[spots_.of(i)].home; }

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

  /// Finds the best standing that any member has, and whether only standbys (weight 0) have it. The standing counts
  /// before the weight, so a standby that serves comes before anything that does not serve.
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

  /// Returns the weight of a candidate. A standby counts as 1 where only standbys are left, otherwise as 0.
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

  /// Sets health, load and panic of the tiers. Where nothing serves, the nearest tier of the best kind has all the
  /// load.
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
      out_.tiers[i].panic = is_panic(weights[i], below, ((panic_ >> i) & 1U) != 0);
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

  /// Endpoints of one tier that are reached through the same gateways.
  struct Behind {
    const Route* route = nullptr;
    std::uint64_t weight = 0;
    Members members;
  };

  void substitute_gateways(Tier& tier) const {
    std::vector<Behind> groups;
    for (const std::uint32_t i : tier.answering) {
      if (routes_[i] == nullptr) {
        tier.direct.push_back(i);
        continue;
      }
      const auto known = std::ranges::find_if(
          groups, [&](const Behind& group) { return group.route->gateways == routes_[i]->gateways; });
      Behind& group = known != groups.end() ? *known : groups.emplace_back(Behind{routes_[i], 0, {}});
      group.weight += std::max<std::uint64_t>(1, weight_of(i));
      group.members.push_back(i);
    }
    for (const Behind& group : groups) share_out(group, tier);
  }

  /// Gives each gateway an equal share of the weight of all endpoints behind the group's gateways. The shares are
  /// differences of rounded sums, so that they add up to the whole.
  static void share_out(const Behind& group, Tier& tier) {
    const auto& gateways = group.route->gateways;
    const std::uint64_t whole = 100 * group.weight;
    for (std::size_t k = 0; k < gateways.size(); ++k) {
      const auto known = std::ranges::find_if(
          tier.gateways, [&](const GatewayTarget& target) { return target.gateway->address == gateways[k]->address; });
      GatewayTarget& target =
          known != tier.gateways.end() ? *known : tier.gateways.emplace_back(GatewayTarget{gateways[k], 0, {}});
      target.hundredths += whole * (k + 1) / gateways.size() - whole * k / gateways.size();
      target.members.insert(target.members.end(), group.members.begin(), group.members.end());
    }
  }

  /// Finds the first endpoint in doubt that is answered, or whose recovery would bring back a closer tier. Where
  /// nothing serves, the recovery of any endpoint would change the answer, so all tiers count.
  std::optional<std::uint32_t> find_doubt() const {
    const bool all = !out_.answer_tier || out_.last_resort();
    std::size_t last = 0;  // the farthest tier with a load
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
    std::size_t pending = 0, hidden = 0, fenced = 0;
    for (std::uint32_t i = 0; i < host_.candidates.size(); ++i) {
      if (spots_.of(i) == Spots::kNone) {
        ++pending;
      } else if (is_hidden(i)) {
        ++hidden;
      } else if (!outlook_.sights[spots_.of(i)].inside) {
        ++fenced;
      }
    }
    const std::size_t all = host_.candidates.size();
    if (hidden > 0 && hidden == all) return Emptiness::NotExported;
    if (outlook_.fence_unknown && all > 0) return Emptiness::FenceUnknown;
    if (fenced > 0 && fenced + hidden + pending == all) return Emptiness::Fenced;
    const bool has_any = std::ranges::any_of(host_.policy.ladder, [](const auto& rung) { return rung.parts == 0; });
    return outlook_.nowhere && !has_any ? Emptiness::Unlocated : Emptiness::NoEndpoint;
  }

  const HostPlan& host_;
  const Spots& spots_;
  const Outlook& outlook_;
  const Steps& steps_;
  const std::uint64_t panic_;
  std::vector<Members*> tiers_;       // by spot: the members of its tier; unused with priority groups
  std::vector<const Route*> routes_;  // by candidate; null = its own address is answered, or it is in no tier
  std::map<TierKey, Members> members_;
  std::vector<std::size_t> majors_;  // by tier
  Standing best_kind_ = Standing::Out;
  bool best_standby_ = false;
  Decision out_;
};

}  // namespace

std::uint16_t port_of(const HostPlan& host, const GatewayTarget& target, std::size_t port) {
  const auto has = [&](std::uint32_t member) { return host.candidates[member].ports[port] != 0; };
  const auto endpoint = std::ranges::find_if(target.members, has);
  if (endpoint == target.members.end()) return 0;
  for (const std::string& name : {host.ports[port].name, std::string()}) {
    const auto own = std::ranges::find_if(target.gateway->ports, [&](const model::Port& entry) {
      return entry.protocol == host.ports[port].protocol && entry.name == name;
    });
    if (own != target.gateway->ports.end()) return own->number;
  }
  return host.candidates[*endpoint].ports[port];
}

struct HostDecider::Seen {
  Outlook outlook;
  std::uint64_t panic;
};

HostDecider::HostDecider(const HostPlan& host, const Geography& geography)
    : host_(host), geography_(geography), spots_(std::make_unique<const Spots>(host)) {}

HostDecider::~HostDecider() = default;

std::size_t HostDecider::look(const Client& client) {
  Seen now{Outlook(host_, *spots_, client.place, geography_), client.panic};
  const std::size_t hash = now.outlook.hash();
  const auto [begin, end] = by_hash_.equal_range(hash);
  const auto equal = std::find_if(begin, end, [&](const auto& entry) {
    const Seen& before = seen_[entry.second];
    return before.panic == now.panic && before.outlook == now.outlook;
  });
  if (equal != end) return equal->second;
  seen_.push_back(std::move(now));
  return by_hash_.emplace(hash, seen_.size() - 1)->second;
}

Decision HostDecider::decide(std::size_t outlook) const {
  const Seen& seen = seen_[outlook];
  return Decider(host_, *spots_, seen.outlook, seen.panic).run();
}

Decision decide(const HostPlan& host, const Client& client, const Geography& geography) {
  const Spots spots(host);
  return Decider(host, spots, Outlook(host, spots, client.place, geography), client.panic).run();
}

}  // namespace meshdns::topology
