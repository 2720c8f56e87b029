#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/ip_address.h"

namespace meshdns::app {

/// What the operating system says of the machine.
struct Machine {
  std::string name;        // the hostname up to the first dot, in lower case; whole if it is an address
  std::string machine_id;  // of the installation; the name where there is none
  std::string boot_id;     // of this boot
};

Machine this_machine();

/// The local address that the routing table picks on the way to `to`; sends nothing. No route: nothing.
std::vector<IpAddress> address_towards(const IpAddress& to);

/// Whether a federation on another machine, or clients of other machines, can reach this machine there: loopback,
/// link-local and unspecified addresses mean something else to each of them.
bool is_reachable_from_afar(const IpAddress& address);

/// The node's own addresses where none are configured, IPv4 first: the one that the connection to the federation comes
/// from, and of the other family the one on the way to the default route.
/// federation: where that connection ends; nothing or a loopback address = on this machine
/// returns:    nothing if the machine has no address that others can reach; loopback where the federation is on this
///             machine and there is no other one
std::vector<IpAddress> routed_addresses(const std::optional<IpAddress>& federation);

/// Where the server is if it is written as an address ("10.0.0.1:7400"); nothing for a name or a unix socket.
std::optional<IpAddress> address_of_server(const std::string& server);

/// Why this cannot be the name of a node, with a hint; empty = it can. Machines that have not got a name yet are called
/// localhost, and 10.0.0.5 is no name: many would be one node.
std::string node_name_problem(std::string_view name);

}  // namespace meshdns::app
