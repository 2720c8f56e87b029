#pragma once

#include <cstddef>
#include <cstdint>

#include "common/net/ip_address.h"
#include "dnsd/answers/host.h"
#include "dnsd/answers/locator.h"
#include "dnsd/wire/edns.h"

namespace meshdns::query {

/// The client of a draw and the time of it: all that a draw depends on, so that every type, address family and server
/// draws the same tier. The references must outlive this.
struct DrawSeat {
  const IpAddress& client;           // source address of the query
  const wire::ClientSubnet& subnet;  // as the client sent it
  const answers::Located& located;   // where the client is
  std::uint32_t unix_seconds = 0;
};

/// The result of a draw.
struct Drawn {
  std::uint32_t percent = 0;  // 0 to 99: selects the tier into whose part of the summed loads it falls
  std::uint64_t seconds = 0;  // how long the draw stays the same
};
/// Draws for a host.
/// name: wire::hash_name() of the host's name
/// ttl:  of the host's policy, in seconds
Drawn drawn(std::uint64_t name, std::uint32_t ttl, const DrawSeat& seat) noexcept;

/// The client of a choice among rows of which not all can be answered. It is the client itself, not the prefix by which
/// it is located, so that all clients of a place together use every row.
struct LotSeat {
  const IpAddress* client = nullptr;           // source address of the query
  const wire::ClientSubnet* subnet = nullptr;  // the client subnet that a trusted forwarder sends; null = none
  std::uint32_t unix_seconds = 0;
};

/// Returns a client's lot for a host, which decides the rows that the client gets. It is the same on every server, and
/// until the time slot of the host's TTL ends.
std::uint64_t lot_of(const answers::Host& host, const LotSeat& seat) noexcept;

/// Returns the tier that a client uses of a set with spread load. There is one draw for each (host, located prefix,
/// time slot of the host's TTL); slots of different hosts and prefixes begin at different times.
/// requires: some tier of the set has a load
/// returns: index of Host::tiers(set) of a tier with a load
/// source:  docs/design.md section 4, step 7
std::size_t drawn_tier(const answers::Host& host, const answers::Set& set, const DrawSeat& seat) noexcept;

}  // namespace meshdns::query
