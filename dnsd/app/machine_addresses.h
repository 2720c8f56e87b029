#pragma once

#include <vector>

#include "common/net/ip_address.h"

namespace meshdns::dnsd::app {

/// Returns the addresses of this machine: the loopback addresses only if it has no others.
std::vector<IpAddress> machine_addresses();

}  // namespace meshdns::dnsd::app
