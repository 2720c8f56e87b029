#include "dnsd/topology/families.h"

#include <algorithm>
#include <set>

namespace meshdns::topology {
namespace {

/// Returns the endpoints of a tier that are answered with their own addresses, not a gateway's.
const std::vector<std::uint32_t>& answered_directly(const Tier& tier) {
  return tier.gateways.empty() ? tier.answering : tier.direct;
}

/// Visits each address of the family that the tier is answered with, until the visitor returns true.
template <class F>
bool any_address(const HostPlan& host, const Tier& tier, Family family, F visit) {
  for (const std::uint32_t member : answered_directly(tier)) {
    const Candidate& candidate = host.candidates[member];
    const auto& address = family == Family::V4 ? candidate.v4 : candidate.v6;
    if (address && visit(*address)) return true;
  }
  return std::ranges::any_of(tier.gateways, [&](const GatewayTarget& target) {
    return target.gateway->address.family() == family && visit(target.gateway->address);
  });
}

/// Returns whether clients of this family go on to the next tier where this one has no address for them. They do if
/// families are independent, and for IPv4 also where the reason is an address that fails. They do not for IPv6: clients
/// with both families would prefer a far IPv6 address to a near IPv4 one (RFC 6724).
bool goes_on(const HostPlan& host, const Tier& tier, Family family) {
  if (host.policy.families == model::Families::Independent) return true;
  return family == Family::V4 && std::ranges::any_of(answered_directly(tier), [&](std::uint32_t member) {
           const auto& out = host.candidates[member].out;
           return out && out->is_v4();
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
  const Tier& first = decision.tiers[drawn];
  if (has_family(host, first, family)) return drawn;
  if (!goes_on(host, first, family)) return std::nullopt;
  for (const Tier& tier : decision.tiers) {
    if (&tier == &first) continue;
    if (has_family(host, tier, family)) return tier.number;
    if (!goes_on(host, tier, family)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace meshdns::topology
