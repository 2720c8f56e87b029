#include "agent/mapping/machine.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "common/net/fd.h"
#include "common/net/kernel_address.h"

namespace meshdns::mapping {
namespace {

// States of sockets as the kernel numbers them in all protocols (<net/tcp_states.h>).
constexpr unsigned kListen = 10;
constexpr unsigned kClosed = 7;  // of UDP: no peer

constexpr std::size_t kBuffer = 32768;  // the kernel's dumps have datagrams of at most that size
constexpr timeval kPatience{1, 0};

Error failed(const char* what) {
  return {Code::Unavailable, std::string("sock_diag: ") + what + ": " + std::generic_category().message(errno)};
}

IpAddress address_of(const inet_diag_msg& message) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), message.id.idiag_src, bytes.size());
  if (message.idiag_family == AF_INET6) return IpAddress::v6_bytes(bytes);
  return IpAddress::v4_bytes(std::span(bytes).first<4>());
}

/// Whether a socket on :: takes no IPv4. The kernel adds this attribute to each IPv6 socket that listens.
bool is_v6_only(std::span<const std::byte> attributes) {
  nlattr head{};
  while (attributes.size() >= sizeof head) {
    std::memcpy(&head, attributes.data(), sizeof head);
    const std::size_t size = NLMSG_ALIGN(head.nla_len);
    if (head.nla_len < sizeof head || size > attributes.size()) return false;
    if (head.nla_type == INET_DIAG_SKV6ONLY && head.nla_len > sizeof head) {
      return attributes[sizeof head] != std::byte{0};
    }
    attributes = attributes.subspan(size);
  }
  return false;
}

bool ask(int descriptor, int family, Protocol protocol) {
  struct {
    nlmsghdr header{};
    inet_diag_req_v2 body{};
  } request;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = static_cast<std::uint8_t>(family);
  request.body.sdiag_protocol = protocol == Protocol::Tcp ? IPPROTO_TCP : IPPROTO_UDP;
  request.body.idiag_states = 1U << (protocol == Protocol::Tcp ? kListen : kClosed);
  return send(descriptor, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request);
}

Result<void> dump(int descriptor, int family, Protocol protocol, std::vector<Listener>& out) {
  if (!ask(descriptor, family, protocol)) return failed("send");
  std::array<std::byte, kBuffer> buffer;
  for (;;) {
    const ssize_t size = recv(descriptor, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return failed("receive");
    const auto more = add_listeners(std::span(buffer).first(static_cast<std::size_t>(size)), protocol, out);
    if (!more) return more.error();
    if (!*more) return {};
  }
}

Result<std::set<IpAddress>> own_addresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return failed("getifaddrs");
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::set<IpAddress> out;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    const int family = at->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, at->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    out.insert(meshdns::address_of(storage));
  }
  return out;
}

}  // namespace

Result<bool> add_listeners(std::span<const std::byte> datagram, Protocol protocol, std::vector<Listener>& out) {
  constexpr std::size_t kHead = NLMSG_HDRLEN;
  nlmsghdr header{};
  while (datagram.size() >= kHead) {
    std::memcpy(&header, datagram.data(), sizeof header);
    const std::size_t size = header.nlmsg_len;
    if (size < kHead || size > datagram.size()) return Error(Code::InvalidArgument, "sock_diag: a message is cut");
    if (header.nlmsg_type == NLMSG_DONE) return false;
    if (header.nlmsg_type == NLMSG_ERROR) return Error(Code::Unavailable, "sock_diag: the kernel refuses the dump");
    inet_diag_msg body{};
    if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY && size >= kHead + sizeof body) {
      std::memcpy(&body, datagram.data() + kHead, sizeof body);
      const auto attributes = datagram.subspan(kHead + sizeof body, size - kHead - sizeof body);
      const SocketAddress where{address_of(body), ntohs(body.id.idiag_sport)};
      if (where.port != 0) out.push_back({where, protocol, body.idiag_family == AF_INET6 && is_v6_only(attributes)});
    }
    datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(size), datagram.size()));
  }
  return true;
}

Result<Facts> look_at_machine() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (socket.get() < 0) return failed("socket");
  static_cast<void>(setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience));
  Facts out;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp}) {
      if (auto done = dump(socket.get(), family, protocol, out.listeners); !done) return done.error();
    }
  }
  auto addresses = own_addresses();
  if (!addresses) return addresses.error();
  out.addresses = std::move(*addresses);
  return out;
}

}  // namespace meshdns::mapping
