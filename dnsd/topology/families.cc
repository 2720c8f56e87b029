#include "dnsd/topology/families.h"

#include <algorithm>
#include <set>

namespace meshdns::topology {
namespace {

/// Visits each address of the family that stands for the tier, until the visitor returns true.
template <class F>
bool any_address(const HostPlan& host, const Tier& tier, Family family, F visit) {
  for (const std::uint32_t member : tier.gateways.empty() ? tier.answering : tier.direct) {
    const Candidate& candidate = host.candidates[member];
    const auto& address = family == Family::V4 ? candidate.v4 : candidate.v6;
    if (address && visit(*address)) return true;
  }
  return std::ranges::any_of(tier.gateways, [&](const GatewayTarget& target) {
    return target.gateway->address.is_v4() == (family == Family::V4) && visit(target.gateway->address);
  });
}

}  // namespace

std::vector<IpAddress> addresses_of(const HostPlan& host, const Tier& tier, Family family) {
  std::vector<IpAddress> out;
  std::set<IpAddress> seen;
  any_address(host, tier, family, [&](const IpAddress& address) {
    if (seen.insert(address).second) out.push_back(address);
    return false;
  });
  return out;
}

std::size_t count_addresses(const HostPlan& host, const Tier& tier, Family family, bool may_repeat) {
  std::vector<IpAddress> all;
  any_address(host, tier, family, [&](const IpAddress& address) {
    all.push_back(address);
    return false;
  });
  if (!may_repeat) return all.size();
  std::ranges::sort(all);
  return static_cast<std::size_t>(std::unique(all.begin(), all.end()) - all.begin());
}

bool has_family(const HostPlan& host, const Tier& tier, Family family) {
  return any_address(host, tier, family, [](const IpAddress&) { return true; });
}

std::optional<std::uint32_t> family_tier(const HostPlan& host, const Decision& decision, std::uint32_t drawn,
                                         Family family) {
  if (has_family(host, decision.tiers[drawn], family)) return drawn;
  if (host.policy.families != model::Families::Independent) return std::nullopt;
  const auto nearest =
      std::ranges::find_if(decision.tiers, [&](const Tier& tier) { return has_family(host, tier, family); });
  if (nearest == decision.tiers.end()) return std::nullopt;
  return nearest->number;
}

}  // namespace meshdns::topology
