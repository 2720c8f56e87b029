#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/machine_place.h"
#include "common/kubernetes/server.h"
#include "common/net/ip_address.h"

namespace meshdns::agent::app {

/// The identity of the machine, from the operating system.
struct Machine {
  std::string name;        // the hostname up to the first dot, in lower case; a hostname that is an address is whole
  std::string machine_id;  // identifies the installation (machine-id(5)); the name if there is none
  std::string boot_id;     // identifies this boot
  kubernetes::Environment environment = kubernetes::process_environment();
  discovery::PlaceFiles place_files = {};
};

/// Asks the operating system; takes the hostname as "localhost" if there is none.
Machine this_machine();

/// Returns the local address that the routing table chooses for packets to `to`; empty = there is no route. Sends
/// nothing.
std::vector<IpAddress> address_towards(const IpAddress& to);

/// Whether other machines can reach this machine at the address. Loopback, link-local and unspecified addresses mean
/// something else on each machine.
bool is_reachable_from_afar(const IpAddress& address);

/// Returns the node's own addresses when none are configured, IPv4 first: the address that a connection to the
/// federation comes from, and for the other family the address that the default route uses.
/// federation: the federation's address; nothing or a loopback address = on this machine
/// returns:    empty = the machine has no address that others can reach. If the federation is on this machine: loopback
std::vector<IpAddress> routed_addresses(const std::optional<IpAddress>& federation);

/// Returns the addresses with commas between.
std::string texts_of(const std::vector<IpAddress>& addresses);

/// Returns the address of a server that is written as one ("10.0.0.1:7400"); nothing for a name or a unix socket.
std::optional<IpAddress> address_of_server(const std::string& server);

/// Returns why a text cannot be the name of a node, with a hint; empty = it can. Names that many machines share are
/// refused, because these machines would be one node: localhost, and addresses or parts of them.
std::string node_name_problem(std::string_view name);

}  // namespace meshdns::agent::app
