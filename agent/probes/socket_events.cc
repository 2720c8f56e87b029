#include "agent/probes/socket_events.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "common/process/asio_loop.h"

namespace meshdns::probes {
namespace {

constexpr std::size_t kMessageStart = NLMSG_HDRLEN;
constexpr std::uint32_t kGroups = (1U << (SKNLGRP_INET_TCP_DESTROY - 1)) | (1U << (SKNLGRP_INET6_TCP_DESTROY - 1));
constexpr std::size_t kMostPerWake = 256;  // then other work of the loop gets its turn

Error failed(const char* what) {
  const int number = errno;
  const bool denied = number == EPERM || number == EACCES;
  return {denied ? Code::PermissionDenied : Code::Unimplemented,
          std::string(what) + ": " + std::generic_category().message(number)};
}

constexpr std::uint32_t at(std::size_t offset_in_id) {
  return static_cast<std::uint32_t>(kMessageStart + offsetof(inet_diag_msg, id) + offset_in_id);
}

/// Attaches a filter that lets only events of listeners through, so that a busy host's connections cost nothing. A
/// listener has a port, but neither a peer's port nor a peer's address. Both must be checked: the event of an aborted
/// connection has lost the peer's port, but not the address.
bool filter_listeners(int descriptor) {
  constexpr std::uint32_t kPort = at(offsetof(inet_diag_sockid, idiag_sport));
  constexpr std::uint32_t kPeerPort = at(offsetof(inet_diag_sockid, idiag_dport));
  constexpr std::uint32_t kPeer = at(offsetof(inet_diag_sockid, idiag_dst));
  constexpr std::uint16_t kLoadHalf = BPF_LD | BPF_H | BPF_ABS;
  constexpr std::uint16_t kLoadWord = BPF_LD | BPF_W | BPF_ABS;
  constexpr std::uint16_t kIsZero = BPF_JMP | BPF_JEQ | BPF_K;
  std::array<sock_filter, 14> code = {{
      {kLoadHalf, 0, 0, kPeerPort},
      {kIsZero, 0, 11, 0},  // jump offsets if true and if false: 11 leads to the last line
      {kLoadHalf, 0, 0, kPort},
      {kIsZero, 9, 0, 0},  // here the jump is taken if true: the port must not be zero
      {kLoadWord, 0, 0, kPeer},
      {kIsZero, 0, 7, 0},
      {kLoadWord, 0, 0, kPeer + 4},
      {kIsZero, 0, 5, 0},
      {kLoadWord, 0, 0, kPeer + 8},
      {kIsZero, 0, 3, 0},
      {kLoadWord, 0, 0, kPeer + 12},
      {kIsZero, 0, 1, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},  // all of it
      {BPF_RET | BPF_K, 0, 0, 0},           // nothing
  }};
  const sock_fprog program{code.size(), code.data()};
  return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

/// Attaches the filter before the socket joins the groups, so that no other message gets in.
Result<int> open_socket() {
  const int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
  if (descriptor < 0) return failed("netlink sock_diag socket");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kGroups;
  if (filter_listeners(descriptor) &&
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return descriptor;
  }
  auto error = failed("netlink sock_diag destroy groups");
  close(descriptor);
  return error;
}

/// Whether the socket was a listener, by the same conditions as the filter's.
bool is_listener(const inet_diag_sockid& id) {
  const auto& peer = id.idiag_dst;
  const bool has_peer = std::any_of(std::begin(peer), std::end(peer), [](auto word) { return word != 0; });
  return id.idiag_sport != 0 && id.idiag_dport == 0 && !has_peer;
}

IpAddress source_of(const inet_diag_msg& message) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), message.id.idiag_src, bytes.size());
  if (message.idiag_family == AF_INET6) return IpAddress::v6_bytes(bytes);
  return IpAddress::v4_bytes(std::span(bytes).first<4>());
}

}  // namespace

std::optional<SocketAddress> destroyed_listener(std::span<const std::byte> message) {
  inet_diag_msg body{};
  if (message.size() < kMessageStart + sizeof body) return std::nullopt;
  nlmsghdr header{};
  std::memcpy(&header, message.data(), sizeof header);
  std::memcpy(&body, message.data() + kMessageStart, sizeof body);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || !is_listener(body.id)) return std::nullopt;
  return SocketAddress{source_of(body), ntohs(body.id.idiag_sport)};
}

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
    if (!overflowed) return wait();
    boost::asio::post(stream.get_executor(), [self = shared_from_this()] {
      if (self->stream.is_open()) self->read_many();
    });
  }

  /// Tells of lost events when the queue is empty and not when the kernel reports the overflow: between the two it
  /// drops every further event and reports none of them (netlink(7); NETLINK_S_CONGESTED in af_netlink.c).
  void queue_is_empty() {
    if (std::exchange(overflowed, false)) closed(SocketAddress{});
  }

  /// returns: false = there is nothing more to read
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
    const auto listener = destroyed_listener(std::span(buffer).first(static_cast<std::size_t>(size)));
    if (listener) closed(*listener);
    return true;
  }

  boost::asio::posix::stream_descriptor stream;
  Closed closed;
  bool overflowed = false;
};

SocketEvents::SocketEvents(std::shared_ptr<State> state) : state_(std::move(state)) {}

SocketEvents::~SocketEvents() { state_->stream.close(); }

Result<std::unique_ptr<SocketEvents>> SocketEvents::open(process::EventLoop& loop, Closed closed) {
  const auto descriptor = open_socket();
  if (!descriptor) return descriptor.error();
  auto state = std::make_shared<State>(loop, *descriptor, std::move(closed));
  state->wait();
  return std::unique_ptr<SocketEvents>(new SocketEvents(std::move(state)));
}

}  // namespace meshdns::probes
