#include "agent/probes/destroy_message.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "common/net/fd.h"
#include "tests/unit/agent/probes/message_bytes.h"

namespace meshdns::probes {
namespace {

/// What one message is, and whether it passes with the UDP ports 53 and 8080, and without.
struct Case {
  const char* what;
  DiagMessage message;
  const char* where;  // "" = not a server's socket
  bool udp = false;
  bool passes = true;
  bool passes_without_ports = true;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"a listener", {}, "10.0.0.1:8080"},
      {"a listener at any address", {.source = "00000000 00000000 00000000 00000000"}, "0.0.0.0:8080"},
      {"a listener on ::", {.family = "0a", .source = "00000000 00000000 00000000 00000000"}, "[::]:8080"},
      {"a listener of IPv6", {.family = "0a", .source = "fd000000 00000000 00000000 00000001"}, "[fd00::1]:8080"},
      {"a connection", {.peer_port = "c001", .peer = "0a000002 00000000 00000000 00000000"}, "", false, false, false},
      {"an aborted connection, without the peer's port",
       {.peer = "0a000002 00000000 00000000 00000000"},
       "",
       false,
       false,
       false},
      {"an aborted connection of IPv6",
       {.family = "0a", .peer = "00000000 00000000 00000000 00000002"},
       "",
       false,
       false,
       false},
      {"a socket that was never bound", {.port = "0000"}, "", false, false, false},
      {"a UDP server", {.protocol = DiagMessage::kUdp}, "10.0.0.1:8080", true, true, false},
      {"another UDP server", {.port = "0035", .protocol = DiagMessage::kUdp}, "10.0.0.1:53", true, true, false},
      {"a UDP client that has sent one query",
       {.port = "c001", .protocol = DiagMessage::kUdp},
       "10.0.0.1:49153",
       true,
       false,
       false},
      {"a connected UDP socket",
       {.peer_port = "0035", .peer = "0a000002 00000000 00000000 00000000", .protocol = DiagMessage::kUdp},
       "",
       false,
       false,
       false},
      {"a message that does not say its protocol", {.protocol = ""}, "10.0.0.1:8080"},
  };
  return all;
}

TEST(DestroyedSocket, reads_messages_of_the_kernel) {
  for (const Case& one : cases()) {
    const auto socket = destroyed_socket(one.message.bytes());
    EXPECT_EQ(socket ? socket->where.text() : "", one.where) << one.what;
    EXPECT_EQ(socket && socket->protocol == Protocol::Udp, one.udp) << one.what;
  }
}

TEST(DestroyedSocket, a_short_or_foreign_message_says_nothing) {
  EXPECT_FALSE(destroyed_socket(DiagMessage{.type = "0300"}.bytes())) << "NLMSG_DONE";
  const auto whole = DiagMessage{}.bytes();
  for (std::size_t size = 0; size < 16 + 72; ++size) {
    EXPECT_FALSE(destroyed_socket(std::span(whole).first(size))) << size;
  }
  EXPECT_FALSE(destroyed_socket(std::array<std::byte, 200>{}));
}

/// Two sockets; the kernel asks the filter about each message from one to the other.
class Filtered {
 public:
  explicit Filtered(const std::set<std::uint16_t>& udp_ports) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    to_ = Fd(ends[0]);
    from_ = Fd(ends[1]);
    auto code = destroy_filter(udp_ports);
    const sock_fprog program{static_cast<std::uint16_t>(code.size()), code.data()};
    EXPECT_EQ(setsockopt(from_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  }

  bool passes(const std::vector<std::byte>& message) {
    if (send(to_.get(), message.data(), message.size(), 0) < 0) return false;
    std::array<std::byte, 4096> buffer;
    return recv(from_.get(), buffer.data(), buffer.size(), 0) == static_cast<ssize_t>(message.size());
  }

 private:
  Fd to_, from_;
};

TEST(DestroyFilter, passes_servers_only) {
  Filtered with({53, 8080});
  Filtered without({});
  for (const Case& one : cases()) {
    EXPECT_EQ(with.passes(one.message.bytes()), one.passes) << one.what;
    EXPECT_EQ(without.passes(one.message.bytes()), one.passes_without_ports) << one.what;
  }
}

TEST(DestroyFilter, as_many_ports_as_it_takes) {
  std::set<std::uint16_t> ports;
  for (std::uint16_t port = 20'000; ports.size() < kMostFilteredPorts; ++port) ports.insert(port);
  const auto client = DiagMessage{.port = "c001", .protocol = DiagMessage::kUdp}.bytes();
  Filtered most(ports);
  EXPECT_TRUE(most.passes(DiagMessage{.port = "4e20", .protocol = DiagMessage::kUdp}.bytes())) << "the first: 20000";
  EXPECT_TRUE(most.passes(DiagMessage{.port = "4f1f", .protocol = DiagMessage::kUdp}.bytes())) << "the last: 20255";
  EXPECT_FALSE(most.passes(DiagMessage{.port = "4f20", .protocol = DiagMessage::kUdp}.bytes()));
  EXPECT_FALSE(most.passes(client));
  ports.insert(30'000);
  Filtered more(ports);
  EXPECT_TRUE(more.passes(client)) << "each port passes";
  EXPECT_FALSE(more.passes(DiagMessage{.peer = "0a000002 00000000 00000000 00000000"}.bytes()));
}

}  // namespace
}  // namespace meshdns::probes
