#pragma once

#include <string>
#include <vector>

#include "common/net/ip_address.h"

namespace meshdns::app {

/// What the operating system says of the machine.
struct Machine {
  std::string name;        // the hostname up to the first dot, in lower case
  std::string machine_id;  // of the installation; the name where there is none
  std::string boot_id;     // of this boot
};

Machine this_machine();

/// The local address that the routing table picks on the way to `to`; sends nothing. No route: nothing.
std::vector<IpAddress> address_towards(const IpAddress& to);

/// The node's own addresses by default: those on the way to the federation's servers ("10.0.0.1:7400"). A server that
/// is a name, a socket or on this machine says nothing of them: then the default route counts, at last loopback.
std::vector<IpAddress> routed_addresses(const std::vector<std::string>& servers);

}  // namespace meshdns::app
