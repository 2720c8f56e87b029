#include "common/rpc/listening_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/net/kernel_address.h"
#include "common/net/port_holder.h"
#include "common/net/socket_address.h"
#include "common/net/unix_socket.h"

namespace meshdns::rpc {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr int kBacklog = 65535;  // the kernel cuts it to net.core.somaxconn

void set(int descriptor, int level, int option, int value) {
  // ignored: the socket works without any of these options
  static_cast<void>(::setsockopt(descriptor, level, option, &value, sizeof value));
}

void tune(int descriptor) {
  set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, ListeningSocket::kFirstProbe);
  set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, ListeningSocket::kProbeInterval);
  set(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, ListeningSocket::kSilence * 1000);
}

/// Returns a socket that listens at `address`; -1 = failed, see errno.
int listening(const sockaddr* address, socklen_t size) {
  const int descriptor = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  if (address->sa_family != AF_UNIX) tune(descriptor);
  if (address->sa_family == AF_INET6) set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(descriptor, address, size) == 0 && ::listen(descriptor, kBacklog) == 0) return descriptor;
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return -1;
}

int listening_on_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return listening(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int listening_at(const SocketAddress& address) {
  const auto where = KernelAddress::of(address);
  return listening(where.get(), where.size);
}

int listening_on(const SocketAddress& address) {
  if (!address.ip.is_v4() || !address.ip.is_unspecified()) return listening_at(address);
  const int both = listening_at({IpAddress::v6_bytes(std::array<std::uint8_t, 16>{}), address.port});
  // a machine without IPv6 has no socket of both families
  return both < 0 ? listening_at(address) : both;
}

std::uint16_t port_of(int descriptor) {
  sockaddr_storage where{};
  socklen_t size = sizeof where;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&where), &size) != 0) return 0;
  return meshdns::port_of(where);
}

Error cannot_listen(const std::string& address, int error, const std::string& holder = {}) {
  return {Code::Unavailable, "cannot listen on " + address + ": " + std::strerror(error) + holder};
}

}  // namespace

Result<ListeningSocket> ListeningSocket::open(const std::string& address) {
  if (address.starts_with(kUnix)) {
    const std::string path = address.substr(kUnix.size());
    if (auto freed = free_socket_path(path); !freed) return freed.error();
    const int descriptor = listening_on_path(path);
    if (descriptor < 0) return cannot_listen(address, errno);
    return ListeningSocket(descriptor, address);
  }
  const auto where = SocketAddress::parse(address);
  if (!where) return where.error();
  const int descriptor = listening_on(*where);
  if (descriptor < 0) {
    const int error = errno;
    return cannot_listen(address, error, held_by(error, *where, Protocol::Tcp));
  }
  return ListeningSocket(descriptor, SocketAddress{where->ip, port_of(descriptor), where->interface}.text());
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), bound_(std::move(other.bound_)) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(bound_, other.bound_);
  return *this;
}

ListeningSocket::~ListeningSocket() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (bound_.starts_with(kUnix)) ::unlink(bound_.c_str() + kUnix.size());
}

}  // namespace meshdns::rpc
