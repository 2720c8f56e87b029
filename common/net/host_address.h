#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/net/ip_address.h"

namespace meshdns {

/// Whether loopback addresses may be answered. They may only if the whole mesh is on one machine: elsewhere such an
/// answer leads every client to itself.
enum class Loopback : std::uint8_t { Refused, Allowed };

/// Returns why clients cannot be sent to an address that an object, an agent or a resolver names: "224.0.0.1 is a
/// multicast address, not that of one host". Nothing = they can be sent there.
/// ::ffff:0:0/96 needs no rule, because IpAddress turns such an address into IPv4.
/// source: RFC 6890 (0.0.0.0/8, 240.0.0.0/4), RFC 3927 and 4291 (link-local)
std::optional<std::string> not_of_one_host(const IpAddress& address);

/// Like not_of_one_host(), but also refuses loopback addresses, unless they are allowed.
std::optional<std::string> not_answerable(const IpAddress& address, Loopback loopback);

}  // namespace meshdns
