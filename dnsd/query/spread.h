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

/// The draw of a seat for a host, and for how many seconds it stays.
struct Drawn {
  std::uint32_t percent = 0;  // 0 to 99: it hits the tier in whose part of the loads, added up, it is
  std::uint64_t seconds = 0;
};
/// name: wire::hash_name() of the host's name; ttl: its policy's, in seconds
Drawn drawn(std::uint64_t name, std::uint32_t ttl, const DrawSeat& seat) noexcept;

/// Who draws among rows of which not all can be answered: the client itself, not the prefix that it is located by, so
/// that clients of one place together use every row.
struct LotSeat {
  const IpAddress* client = nullptr;           // who asks
  const wire::ClientSubnet* subnet = nullptr;  // what a trusted forwarder says of the client; null = nothing
  std::uint32_t unix_seconds = 0;
};

/// A seat's lot for a host: decides which rows it gets. The same on every server until the slot of the host's TTL ends.
std::uint64_t lot_of(const answers::Host& host, const LotSeat& seat) noexcept;

/// Which tier of a spread set is used: one draw for each (host, located prefix, slot of the host's TTL). Slots of
/// different hosts and prefixes begin at different times.
/// returns: index of Host::tiers(set), of one with a load; the set has one
/// source:  docs/design.md section 4, step 7
std::size_t drawn_tier(const answers::Host& host, const answers::Set& set, const DrawSeat& seat) noexcept;

}  // namespace meshdns::query
