#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/net/ip_address.h"
#include "dnsd/topology/decide.h"

namespace meshdns::topology {

/// Returns the addresses of one family that a tier is answered with, each once: those of endpoints in the order of the
/// endpoints, then those of gateways.
std::vector<IpAddress> addresses_of(const HostPlan& host, const Tier& tier, Family family);

/// Returns the number of addresses of one family that a tier is answered with.
/// may_repeat: false = the caller knows that no two endpoints share an address, so that repetitions are not looked for
std::size_t count_addresses(const HostPlan& host, const Tier& tier, Family family, bool may_repeat = true);

/// Returns whether a tier is answered with any address of the family.
bool has_family(const HostPlan& host, const Tier& tier, Family family);

/// Returns the tier whose addresses of one family a client gets. This is the drawn tier if it has such an address.
/// Otherwise it is the nearest tier that has one, if the policy says `families: independent`, or if the family is IPv4
/// and each tier before lacks it only because an address fails its checks.
/// drawn:   the number of the tier that the client has drawn
/// returns: nothing = NODATA
/// source: docs/design.md section 4, step 7
std::optional<std::uint32_t> family_tier(const HostPlan& host, const Decision& decision, std::uint32_t drawn,
                                         Family family);

}  // namespace meshdns::topology
