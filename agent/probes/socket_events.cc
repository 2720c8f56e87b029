#include "agent/probes/socket_events.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "agent/probes/destroy_message.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {
namespace {

constexpr std::uint32_t kGroups = (1U << (SKNLGRP_INET_TCP_DESTROY - 1)) | (1U << (SKNLGRP_INET6_TCP_DESTROY - 1));
constexpr std::array kUdpGroups = {int{SKNLGRP_INET_UDP_DESTROY}, int{SKNLGRP_INET6_UDP_DESTROY}};
constexpr std::size_t kMostPerWake = 256;  // then other work of the loop gets its turn

Error failed(const char* what) {
  const int number = errno;
  Code code = Code::Unimplemented;
  if (number == EPERM || number == EACCES) code = Code::PermissionDenied;
  if (number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM) code = Code::ResourceExhausted;
  return {code, std::string(what) + ": " + std::generic_category().message(number)};
}

/// Attaches the filter; the kernel replaces an earlier one in one step.
bool attach_filter(int descriptor, const std::set<std::uint16_t>& udp_ports) {
  auto code = destroy_filter(udp_ports);
  const sock_fprog program{static_cast<std::uint16_t>(code.size()), code.data()};
  return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

bool set_udp_groups(int descriptor, int option) {
  bool done = true;
  for (const int group : kUdpGroups) {
    done = setsockopt(descriptor, SOL_NETLINK, option, &group, sizeof group) == 0 && done;
  }
  return done;
}

}  // namespace

struct SocketEvents::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& loop, int descriptor, Closed call)
      : stream(process::io_context_of(loop), descriptor), closed(std::move(call)) {}

  void wait() {
    stream.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (error || !self->stream.is_open()) return;
                        self->read_many();
                      });
  }

  /// After an overflow the end of the queue must be seen, so it does not wait for another message to come.
  void read_many() {
    for (std::size_t i = 0; i < kMostPerWake && read_one(); ++i) continue;
    if (!stream.is_open()) return;
    if (!overflowed) return wait();
    boost::asio::post(stream.get_executor(), [self = shared_from_this()] {
      if (self->stream.is_open()) self->read_many();
    });
  }

  /// Reports lost events when the queue is empty and not when the kernel reports the overflow: between the two it
  /// drops every further event and reports none of them (netlink(7); NETLINK_S_CONGESTED in af_netlink.c).
  void queue_is_empty() {
    if (std::exchange(overflowed, false)) closed(SocketAddress{});
  }

  /// returns: false = there is nothing more to read, or `closed` has destroyed the owner of this
  bool read_one() {
    std::array<std::byte, 4096> buffer;
    sockaddr_nl from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = recvfrom(stream.native_handle(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0 && errno == ENOBUFS) {
      overflowed = true;
      return true;
    }
    if (size < 0 && errno == EINTR) return true;
    if (size < 0) {
      queue_is_empty();
      return false;
    }
    if (from.nl_pid != 0) return true;  // not from the kernel: another process may send to this socket
    take(std::span(buffer).first(static_cast<std::size_t>(size)));
    return stream.is_open();
  }

  void take(std::span<const std::byte> message) {
    const auto socket = destroyed_socket(message);
    if (!socket) return;
    // The filter passes each UDP port if there are too many.
    if (socket->protocol == Protocol::Udp && !udp_ports.contains(socket->where.port)) return;
    closed(socket->where);
  }

  Result<void> watch_udp(const std::set<std::uint16_t>& ports) {
    if (ports == udp_ports) return {};
    const int descriptor = stream.native_handle();
    // The filter comes first, so that no event of another port gets in.
    if (!attach_filter(descriptor, ports)) return failed("filter of sock_diag events");
    const int option = ports.empty() ? NETLINK_DROP_MEMBERSHIP : NETLINK_ADD_MEMBERSHIP;
    if (ports.empty() != udp_ports.empty() && !set_udp_groups(descriptor, option)) {
      return failed("netlink sock_diag destroy groups of UDP");
    }
    udp_ports = ports;
    return {};
  }

  boost::asio::posix::stream_descriptor stream;
  Closed closed;
  std::set<std::uint16_t> udp_ports;
  bool overflowed = false;
};

SocketEvents::SocketEvents(std::shared_ptr<State> state) : state_(std::move(state)) {}

SocketEvents::~SocketEvents() { state_->stream.close(); }

Result<void> SocketEvents::watch_udp(const std::set<std::uint16_t>& ports) { return state_->watch_udp(ports); }

Result<Fd> SocketEvents::connect() {
  Fd out(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (!out) return failed("netlink sock_diag socket");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kGroups;
  // The filter is there before the socket joins the groups, so that no other message gets in.
  if (attach_filter(out.get(), {}) && bind(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return out;
  return failed("netlink sock_diag destroy groups");
}

std::unique_ptr<SocketEvents> SocketEvents::listen(process::EventLoop& loop, Fd connection, Closed closed) {
  auto state = std::make_shared<State>(loop, connection.release(), std::move(closed));
  state->wait();
  return std::unique_ptr<SocketEvents>(new SocketEvents(std::move(state)));
}

Result<std::unique_ptr<SocketEvents>> SocketEvents::open(process::EventLoop& loop, Closed closed) {
  auto connection = connect();
  if (!connection) return connection.error();
  return listen(loop, std::move(*connection), std::move(closed));
}

}  // namespace meshdns::probes
