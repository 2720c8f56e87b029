#pragma once

#include <optional>
#include <string>

#include "common/net/ip_address.h"

namespace meshdns {

/// Why clients cannot be sent to this address, whoever names it: an object, an agent or a resolver; nothing = they can.
/// "224.0.0.1 is a multicast address, not that of one host"
std::optional<std::string> not_of_one_host(const IpAddress& address);

}  // namespace meshdns
