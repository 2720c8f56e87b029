#include "agent/probes/listener_dump.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace meshdns::probes {
namespace {

// The kernel's states of sockets (enum in <netinet/tcp.h>). A UDP socket that is connected to nobody is closed.
constexpr int kClosed = 7;
constexpr int kListening = 10;

std::size_t aligned(std::size_t size) { return (size + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1}; }

std::optional<SocketAddress> server_of(std::span<const std::byte> body) {
  inet_diag_msg message{};
  if (body.size() < sizeof message) return std::nullopt;
  std::memcpy(&message, body.data(), sizeof message);
  const auto& peer = message.id.idiag_dst;
  const bool has_peer = std::any_of(std::begin(peer), std::end(peer), [](auto word) { return word != 0; });
  if (message.id.idiag_sport == 0 || message.id.idiag_dport != 0 || has_peer) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), message.id.idiag_src, bytes.size());
  const bool v6 = message.idiag_family == AF_INET6;
  const IpAddress ip = v6 ? IpAddress::v6_bytes(bytes) : IpAddress::v4_bytes(std::span(bytes).first<4>());
  return SocketAddress{ip, ntohs(message.id.idiag_sport)};
}

/// Both kinds of messages that end an answer begin with an errno, as a negative number: nlmsgerr, and NLMSG_DONE of a
/// dump that failed.
int error_of(std::span<const std::byte> body) {
  int number = 0;
  if (body.size() < sizeof number) return 0;
  std::memcpy(&number, body.data(), sizeof number);
  return number < 0 ? -number : 0;
}

}  // namespace

std::vector<std::byte> dump_request(Family family, Protocol protocol, std::uint32_t sequence) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = sequence;
  request.body.sdiag_family = family == Family::V4 ? AF_INET : AF_INET6;
  request.body.sdiag_protocol = protocol == Protocol::Tcp ? IPPROTO_TCP : IPPROTO_UDP;
  request.body.idiag_states = 1U << (protocol == Protocol::Tcp ? kListening : kClosed);
  std::vector<std::byte> out(sizeof request);
  std::memcpy(out.data(), &request, sizeof request);
  return out;
}

DumpPart read_dump(std::span<const std::byte> bytes, std::uint32_t sequence) {
  DumpPart out;
  while (bytes.size() >= NLMSG_HDRLEN && !out.done) {
    nlmsghdr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > bytes.size()) break;
    const auto body = bytes.first(header.nlmsg_len).subspan(NLMSG_HDRLEN);
    if (header.nlmsg_seq == sequence) {
      out.done = header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR;
      if (out.done) out.error = error_of(body);
      const auto socket = header.nlmsg_type == SOCK_DIAG_BY_FAMILY ? server_of(body) : std::nullopt;
      if (socket) out.sockets.push_back(*socket);
    }
    bytes = bytes.subspan(std::min(aligned(header.nlmsg_len), bytes.size()));
  }
  return out;
}

}  // namespace meshdns::probes
