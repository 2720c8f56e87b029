#include "dnsd/server/inherited.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace meshdns::server {
namespace {

Fd copy(int socket) { return Fd(::fcntl(socket, F_DUPFD_CLOEXEC, 0)); }

int option(const Fd& socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket.get(), SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

void set_blocking(const Fd& socket, bool blocking) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0) return;
  static_cast<void>(::fcntl(socket.get(), F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK));
}

}  // namespace

Inherited inherited(const std::vector<int>& sockets, const SocketAddress& address) {
  Inherited out;
  if (address.port == 0) return out;
  for (const int socket : sockets) {
    Fd found = copy(socket);
    if (!found || bound_address(found) != address) continue;
    if (option(found, SO_TYPE) == SOCK_DGRAM) {
      set_blocking(found, true);
      tune_udp(found, address);
      out.udp.push_back(std::move(found));
    } else if (option(found, SO_TYPE) == SOCK_STREAM && option(found, SO_ACCEPTCONN) == 1) {
      set_blocking(found, false);
      tune_tcp(found);
      out.tcp = std::move(found);
    }
  }
  return out;
}

Result<Fd> copy_of(const Fd& socket) {
  Fd out = copy(socket.get());
  if (out) return out;
  return Error(Code::Unavailable, std::string("copy a socket of the service manager: ") + std::strerror(errno));
}

std::vector<SocketAddress> not_inherited(const std::vector<int>& sockets, const std::vector<SocketAddress>& listen) {
  std::vector<SocketAddress> out;
  for (const int socket : sockets) {
    const SocketAddress bound = bound_address(copy(socket));
    if (std::ranges::find(listen, bound) == listen.end()) out.push_back(bound);
  }
  return out;
}

}  // namespace meshdns::server
