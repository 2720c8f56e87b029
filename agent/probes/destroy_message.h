#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "common/net/port_holder.h"
#include "common/net/socket_address.h"

namespace meshdns::probes {

/// A socket that the kernel has destroyed: a TCP listener, or a bound UDP socket that was connected to nobody.
struct DestroyedSocket {
  SocketAddress where;  // bound to
  Protocol protocol = Protocol::Tcp;

  friend bool operator==(const DestroyedSocket&, const DestroyedSocket&) = default;
};

/// Returns the socket that one message of the destroy groups is about; nothing = it is about a connection, or it is no
/// such message.
/// source: sock_diag(7); the kernel's inet_diag_handler_get_info() writes the message
std::optional<DestroyedSocket> destroyed_socket(std::span<const std::byte> message);

/// The most UDP ports that a filter distinguishes: the size of a filter is limited.
inline constexpr std::size_t kMostFilteredPorts = 256;

/// Returns a filter for a netlink socket that lets only events of servers through, so that a busy host's connections
/// cost nothing:
///
///   has a port, but neither a peer's port nor a peer's address?   no: dropped
///   TCP?                                                          yes: passes, it was a listener
///   UDP with one of these ports?                                  yes: passes
///
/// Both the peer's port and address must be checked: the event of an aborted connection has lost the port, but not the
/// address. UDP needs the ports, because the socket of a client that has sent one query looks like a server's.
/// udp_ports: more than kMostFilteredPorts = each port passes
std::vector<sock_filter> destroy_filter(const std::set<std::uint16_t>& udp_ports);

}  // namespace meshdns::probes
