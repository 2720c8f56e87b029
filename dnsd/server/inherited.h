#pragma once

#include <vector>

#include "dnsd/server/socket.h"

namespace meshdns::server {

/// What the service manager has opened for one listen address. It keeps the sockets open while no meshdnsd runs, and
/// what arrives then waits in them: copies are served, never sockets of our own beside them, whose queues would be lost
/// with the process.
struct Inherited {
  std::vector<Fd> udp;  // as many as were opened for the address
  Fd tcp;

  explicit operator bool() const { return !udp.empty() || tcp; }
};

/// Copies of those of `sockets` that are bound to `address`, tuned like our own.
Inherited inherited(const std::vector<int>& sockets, const SocketAddress& address);

/// Another copy, which reads the same queue. errors: Unavailable: too many open files
Result<Fd> copy_of(const Fd& socket);

/// Where those of `sockets` are bound that none of `listen` has: nobody reads them.
std::vector<SocketAddress> not_inherited(const std::vector<int>& sockets, const std::vector<SocketAddress>& listen);

}  // namespace meshdns::server
