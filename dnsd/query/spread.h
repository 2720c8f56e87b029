#pragma once

#include <cstddef>
#include <cstdint>

#include "common/net/ip_address.h"
#include "dnsd/answers/host.h"
#include "dnsd/answers/locator.h"
#include "dnsd/wire/edns.h"

namespace meshdns::query {

/// Who draws, and when: all that a draw depends on, so that every type and address family, and every server, draws the
/// same.
struct DrawSeat {
  const IpAddress& client;           // who asks
  const wire::ClientSubnet& subnet;  // as the client sent it
  const answers::Located& located;   // where that is
  std::uint32_t unix_seconds = 0;
};

/// Which tier of a spread set is used: one draw for each (host, located prefix, slot of the host's TTL). Slots of
/// different hosts and prefixes begin at different times.
/// returns: index of Host::tiers(set), of one with a load; the set has one
/// source:  design.md section 4, step 7
std::size_t drawn_tier(const answers::Host& host, const answers::Set& set, const DrawSeat& seat) noexcept;

}  // namespace meshdns::query
