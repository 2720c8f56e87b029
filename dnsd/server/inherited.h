#pragma once

#include <vector>

#include "dnsd/server/socket.h"

namespace meshdns::server {

/// The sockets that the service manager has opened for one listen address. The manager keeps them open while no
/// meshdnsd runs, so that packets wait in them. The server uses copies of them, and opens no sockets of its own beside
/// them, because packets in those would be lost with the process.
struct Inherited {
  std::vector<Fd> udp;  // as many as were opened for the address
  Fd tcp;

  explicit operator bool() const { return !udp.empty() || tcp; }
};

/// Returns copies of the sockets that are bound to an address, tuned like our own.
Inherited inherited(const std::vector<int>& sockets, const SocketAddress& address);

/// Returns another copy of a socket, which reads the same queue.
/// errors: Unavailable: too many open files
Result<Fd> copy_of(const Fd& socket);

/// Returns the addresses of sockets that no listen address has, so that nobody reads them.
std::vector<SocketAddress> not_inherited(const std::vector<int>& sockets, const std::vector<SocketAddress>& listen);

}  // namespace meshdns::server
