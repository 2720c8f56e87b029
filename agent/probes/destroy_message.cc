#include "agent/probes/destroy_message.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace meshdns::probes {
namespace {

// The message: nlmsghdr, inet_diag_msg, and the attribute INET_DIAG_PROTOCOL as the first one.
constexpr std::size_t kBody = NLMSG_HDRLEN;
constexpr std::size_t kAttribute = kBody + sizeof(inet_diag_msg);
constexpr std::size_t kProtocol = kAttribute + NLA_HDRLEN;
static_assert(sizeof(inet_diag_msg) % NLMSG_ALIGNTO == 0);

constexpr std::uint32_t at(std::size_t offset_in_id) {
  return static_cast<std::uint32_t>(kBody + offsetof(inet_diag_msg, id) + offset_in_id);
}

/// A program of the classic Berkeley Packet Filter: it has one register, and its return value is the number of bytes
/// that pass. A load beyond the message's end drops the message.
class Program {
 public:
  void load_byte(std::uint32_t offset) { add(BPF_LD | BPF_B | BPF_ABS, 0, 0, offset); }
  void load_half(std::uint32_t offset) { add(BPF_LD | BPF_H | BPF_ABS, 0, 0, offset); }
  void load_word(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset); }
  void load_length() { add(BPF_LD | BPF_W | BPF_LEN, 0, 0, 0); }

  void drop() { add(BPF_RET | BPF_K, 0, 0, 0); }
  void pass() { add(BPF_RET | BPF_K, 0, 0, UINT32_MAX); }
  void drop_unless(std::uint32_t value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);  // if equal, over the next instruction
    drop();
  }
  void drop_if(std::uint32_t value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    drop();
  }
  void pass_if(std::uint32_t value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    pass();
  }
  void pass_unless(std::uint32_t value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
    pass();
  }
  void pass_below(std::uint32_t value) {
    add(BPF_JMP | BPF_JGE | BPF_K, 1, 0, value);
    pass();
  }

  std::vector<sock_filter> take() { return std::move(code_); }

 private:
  void add(int code, std::uint8_t if_true, std::uint8_t if_false, std::uint32_t value) {
    code_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, value});
  }

  std::vector<sock_filter> code_;
};

/// Whether the socket was a server's, by the same conditions as the filter's.
bool is_server(const inet_diag_sockid& id) {
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

std::optional<DestroyedSocket> destroyed_socket(std::span<const std::byte> message) {
  if (message.size() < kAttribute) return std::nullopt;
  nlmsghdr header{};
  inet_diag_msg body{};
  std::memcpy(&header, message.data(), sizeof header);
  std::memcpy(&body, message.data() + kBody, sizeof body);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || !is_server(body.id)) return std::nullopt;
  const bool udp = message.size() > kProtocol && std::to_integer<int>(message[kProtocol]) == IPPROTO_UDP;
  return DestroyedSocket{{source_of(body), ntohs(body.id.idiag_sport)}, udp ? Protocol::Udp : Protocol::Tcp};
}

std::vector<sock_filter> destroy_filter(const std::set<std::uint16_t>& udp_ports) {
  constexpr std::uint32_t kPort = at(offsetof(inet_diag_sockid, idiag_sport));
  Program program;
  program.load_half(at(offsetof(inet_diag_sockid, idiag_dport)));
  program.drop_unless(0);
  program.load_half(kPort);
  program.drop_if(0);
  for (std::uint32_t word = 0; word < 4; ++word) {
    program.load_word(at(offsetof(inet_diag_sockid, idiag_dst)) + 4 * word);
    program.drop_unless(0);
  }
  program.load_length();
  program.pass_below(kProtocol + 1);  // it does not say its protocol
  program.load_byte(kProtocol);
  program.pass_unless(IPPROTO_UDP);
  if (udp_ports.size() > kMostFilteredPorts) {
    program.pass();
    return program.take();
  }
  program.load_half(kPort);
  for (const std::uint16_t port : udp_ports) program.pass_if(port);
  program.drop();
  return program.take();
}

}  // namespace meshdns::probes
