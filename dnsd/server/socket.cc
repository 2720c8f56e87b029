#include "dnsd/server/socket.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/net/port_holder.h"

namespace meshdns::server {
namespace {

constexpr int kReceiveBuffer = 4 << 20;
constexpr int kBacklog = 1024;
constexpr std::uint16_t kFirstUnprivilegedPort = 1024;
constexpr int kMinMtu6 = 1280;  // RFC 8200 5: every link carries it unfragmented

void set(const Fd& socket, int level, int option, int value) {
  // Each option only tunes the socket: where a kernel refuses one, the server still answers.
  static_cast<void>(::setsockopt(socket.get(), level, option, &value, sizeof value));
}

Error failure(const std::string& what, Protocol protocol, const SocketAddress& address, int error) {
  const char* name = protocol == Protocol::Udp ? " UDP " : " TCP ";
  std::string text = what + name + address.text() + ": " + std::strerror(error) + held_by(error, address, protocol);
  if (error == EACCES && address.port < kFirstUnprivilegedPort) {
    text += " (ports below 1024 need CAP_NET_BIND_SERVICE: meshdnsd.service gives it; without the unit: root)";
  }
  const bool used_up = error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
  if (used_up) return {Code::ResourceExhausted, text};
  return {error == EACCES ? Code::PermissionDenied : Code::Unavailable, text};
}

bool bind_to(const Fd& socket, const SocketAddress& address) {
  const KernelAddress kernel = KernelAddress::of(address);
  return ::bind(socket.get(), kernel.get(), kernel.size) == 0;
}

Fd open_socket(const SocketAddress& address, int type, Families families) {
  Fd socket(::socket(address.ip.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
  const bool both = families == Families::Both && address.ip.is_unspecified();
  if (socket && !address.ip.is_v4()) set(socket, IPPROTO_IPV6, IPV6_V6ONLY, both ? 0 : 1);
  return socket;
}

}  // namespace

void tune_udp(const Fd& socket, const SocketAddress& address) {
  set(socket, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
  set(socket, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBuffer);  // beyond rmem_max, where the process may
  const timeval timeout{0, kReceiveTimeoutMs * 1000};
  static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout));
  // forged "fragmentation needed" messages must not shrink our packets (RFC 9715 3.1)
  const bool any = address.ip.is_unspecified();
  if (address.ip.is_v4() || any) set(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  if (!address.ip.is_v4()) {
    set(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
    set(socket, IPPROTO_IPV6, IPV6_MTU, kMinMtu6);
  }
  if (!any) return;
  set(socket, address.ip.is_v4() ? IPPROTO_IP : IPPROTO_IPV6, address.ip.is_v4() ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
}

void tune_tcp(const Fd& socket) {
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);  // inherited by connections
}

Result<Fd> open_udp(const SocketAddress& address, bool shared, Families families) {
  Fd socket = open_socket(address, SOCK_DGRAM, families);
  if (!socket) return failure("open", Protocol::Udp, address, errno);
  if (shared) set(socket, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!bind_to(socket, address)) return failure("listen on", Protocol::Udp, address, errno);
  if (!shared) set(socket, SOL_SOCKET, SO_REUSEPORT, 1);  // from now on other sockets of this process can join
  tune_udp(socket, address);
  return socket;
}

bool steer_by_cpu(const Fd& socket, unsigned sockets) {
  std::array<sock_filter, 3> program = {{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_CPU)},
      {BPF_ALU | BPF_MOD | BPF_K, 0, 0, sockets},
      {BPF_RET | BPF_A, 0, 0, 0},
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) == 0;
}

Result<Fd> open_tcp(const SocketAddress& address, Families families) {
  Fd socket = open_socket(address, SOCK_STREAM | SOCK_NONBLOCK, families);
  if (!socket) return failure("open", Protocol::Tcp, address, errno);
  set(socket, SOL_SOCKET, SO_REUSEADDR, 1);  // while connections of an earlier process time out
  tune_tcp(socket);
  if (!bind_to(socket, address) || ::listen(socket.get(), kBacklog) != 0) {
    return failure("listen on", Protocol::Tcp, address, errno);
  }
  return socket;
}

SocketAddress bound_address(const Fd& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  return {address_of(storage), port_of(storage), storage.ss_family == AF_INET6 ? v6.sin6_scope_id : 0};
}

}  // namespace meshdns::server
