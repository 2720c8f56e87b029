#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/net/ip_address.h"
#include "dnsd/topology/decide.h"

namespace meshdns::topology {

/// Returns the addresses of one family that a tier is answered with, each once, in the order of its endpoints.
std::vector<IpAddress> addresses_of(const HostPlan& host, const Tier& tier, Family family);

/// Returns how many those are. may_repeat: false if it is known that no two endpoints share an address
std::size_t count_addresses(const HostPlan& host, const Tier& tier, Family family, bool may_repeat = true);

/// Returns whether a tier is answered with some address of the family.
bool has_family(const HostPlan& host, const Tier& tier, Family family);

/// Returns the tier whose addresses of one family a client gets that has drawn `drawn`: that tier, unless it has none;
/// then the nearest that has one, if the policy says `families: independent`, or if IPv4 is meant and each tier before
/// lacks it only because an address fails its checks. Nothing = NODATA.
/// drawn:  a tier's number
/// source: docs/design.md section 4, step 7
std::optional<std::uint32_t> family_tier(const HostPlan& host, const Decision& decision, std::uint32_t drawn,
                                         Family family);

}  // namespace meshdns::topology
