#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/net/ip_address.h"

namespace meshdns {

/// Whether addresses of the asking machine itself may be answered. Only where all of a mesh is on one machine:
/// elsewhere such an answer leads every client to itself.
enum class Loopback : std::uint8_t { Refused, Allowed };

/// Why clients cannot be sent to this address, whoever names it: an object, an agent or a resolver; nothing = they can.
/// "224.0.0.1 is a multicast address, not that of one host"
/// ::ffff:0:0/96 needs no rule: IpAddress has no such address, it makes IPv4 of it.
/// source: RFC 6890 (0.0.0.0/8, 240.0.0.0/4), RFC 3927 and 4291 (link-local)
std::optional<std::string> not_of_one_host(const IpAddress& address);

/// The same, for addresses that come from others: loopback too, unless it is allowed.
std::optional<std::string> not_answerable(const IpAddress& address, Loopback loopback);

}  // namespace meshdns
