#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <utility>

#include "common/base/result.h"
#include "common/net/socket_address.h"

namespace meshdns::server {

/// A file descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// The kernel's form of an address, and its size
struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  static KernelAddress of(const SocketAddress& address);
};

/// The address in the kernel's form; no port. A family other than IPv4 and IPv6 gives 0.0.0.0.
IpAddress address_of(const sockaddr_storage& storage) noexcept;
std::uint16_t port_of(const sockaddr_storage& storage) noexcept;

/// Who reaches a socket that is bound to [::]: both families, or IPv6 alone because IPv4 has a socket of its own there.
enum class Families : std::uint8_t { Both, V6Only };

/// The UDP socket of one worker. The first one of an address is exclusive while it binds, so that no second server
/// shares the port unseen; `shared` ones join it.
/// Receives in blocking mode, at most `kReceiveTimeout` at a time, so that its thread sees the end coming.
Result<Fd> open_udp(const SocketAddress& address, bool shared, Families families = Families::Both);

/// Lets the kernel hand a datagram to the socket whose number, in the order in which they were bound, is that of the
/// CPU that received it modulo `sockets`: packet, socket and thread stay on one CPU. One call serves a whole group.
/// returns: false = the kernel refused, and goes on choosing by a hash
bool steer_by_cpu(const Fd& socket, unsigned sockets);

/// A listening TCP socket, non-blocking.
Result<Fd> open_tcp(const SocketAddress& address, Families families = Families::Both);

/// Buffers, patience and path MTU as open_udp() sets them; what a kernel refuses is left.
void tune_udp(const Fd& socket, const SocketAddress& address);
void tune_tcp(const Fd& socket);

/// What the socket is bound to; the port where 0 was asked for.
SocketAddress bound_address(const Fd& socket);

inline constexpr int kReceiveTimeoutMs = 100;

}  // namespace meshdns::server
