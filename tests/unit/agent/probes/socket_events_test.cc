#include "agent/probes/socket_events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <set>

#include "tests/unit/agent/probes/loopback.h"

namespace meshdns::probes {
namespace {

SocketAddress close_listener(const char* ip) {
  const LoopbackSocket listener(ip);
  return {IpAddress::parse(ip).value(), listener.port()};
}

// The machine's other processes close listeners too: the tests look for their own ports only.
class SocketEventsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto events = SocketEvents::open(loop_, [this](const SocketAddress& address) {
      if (address.port == 0) overflowed_ = true;
      if (address.port == 0 && at_overflow_) return std::exchange(at_overflow_, nullptr)();
      closed_.push_back(address);
      if (stop_at_.contains(address.port)) loop_.stop();
    });
    if (!events) {
      std::cout << "skipped: " << events.error().message() << "\n";
      GTEST_SKIP() << events.error().message();
    }
    events_ = std::move(*events);
  }

  /// false if no event about the port came within 120 s
  bool wait_for(std::uint16_t port) { return wait_for_either(port, port); }

  bool wait_for_either(std::uint16_t port, std::uint16_t other) {
    stop_at_ = {port, other};
    const auto timer = loop_.after(120s, [this] { loop_.stop(); });
    loop_.run();
    loop_.restart();
    loop_.cancel(timer);
    stop_at_.clear();
    return told(port) || told(other);
  }

  bool told(std::uint16_t port) const {
    return std::any_of(closed_.begin(), closed_.end(), [port](const auto& address) { return address.port == port; });
  }

  void overflow() {
    overflowed_ = false;
    for (int round = 0; round < 1000 && !overflowed_; ++round) {
      for (int i = 0; i < 3000; ++i) close_listener("127.0.0.1");
      loop_.after(1ms, [this] { loop_.stop(); });
      loop_.run();
      loop_.restart();
    }
  }

  process::EventLoop loop_;
  std::vector<SocketAddress> closed_;
  std::set<std::uint16_t> stop_at_;
  bool overflowed_ = false;
  std::function<void()> at_overflow_;
  std::unique_ptr<SocketEvents> events_;
};

TEST_F(SocketEventsTest, tells_where_a_closed_listener_was) {
  const auto address = close_listener("127.0.0.1");
  ASSERT_TRUE(wait_for(address.port));
  EXPECT_THAT(closed_, testing::Contains(address));
}

TEST_F(SocketEventsTest, a_listener_on_any_address_is_told_as_such) {
  const auto v4 = close_listener("0.0.0.0");
  ASSERT_TRUE(wait_for(v4.port));
  EXPECT_THAT(closed_, testing::Contains(v4));
  if (!LoopbackSocket("::").bound()) return;
  const auto v6 = close_listener("::");
  ASSERT_TRUE(wait_for(v6.port));
  EXPECT_THAT(closed_, testing::Contains(v6));
}

/// A connection to the listener, closed by the client, then by the server.
/// returns: the client's port
std::uint16_t close_connection(const LoopbackSocket& listener, bool with_reset) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(listener.port());
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  const int server = accept(listener.descriptor(), nullptr, nullptr);
  sockaddr_in from{};
  socklen_t size = sizeof from;
  getsockname(client, reinterpret_cast<sockaddr*>(&from), &size);
  const linger abort{.l_onoff = 1, .l_linger = 0};
  if (with_reset) setsockopt(client, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  close(client);
  close(server);
  return ntohs(from.sin_port);
}

TEST_F(SocketEventsTest, a_closed_connection_is_not_told) {
  const LoopbackSocket listener;
  const auto closed = close_connection(listener, false);
  const auto aborted = close_connection(listener, true);
  ASSERT_TRUE(wait_for(close_listener("127.0.0.1").port));
  EXPECT_FALSE(told(closed));
  EXPECT_FALSE(told(aborted));
  EXPECT_FALSE(told(listener.port()));
}

// They would overflow the socket's buffer if the filter were not in the kernel.
TEST_F(SocketEventsTest, thousands_of_closed_connections_do_not_crowd_out_a_listener) {
  const LoopbackSocket listener;
  for (int i = 0; i < 5000; ++i) close_connection(listener, true);
  EXPECT_TRUE(wait_for(close_listener("127.0.0.1").port));
  EXPECT_FALSE(told(0));
}

/// Closes a bound UDP socket.
/// port:    0 = the kernel chooses one
/// returns: its port
std::uint16_t close_udp_server(std::uint16_t port = 0) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  close(descriptor);
  return ntohs(address.sin_port);
}

TEST_F(SocketEventsTest, a_udp_server_at_a_watched_port_is_told) {
  const std::uint16_t port = close_udp_server();
  ASSERT_TRUE(events_->watch_udp({port}));
  close_udp_server(port);
  ASSERT_TRUE(wait_for(port));
  EXPECT_THAT(closed_, testing::Contains(SocketAddress{IpAddress::parse("127.0.0.1").value(), port}));
}

TEST_F(SocketEventsTest, other_udp_sockets_are_not_told) {
  const std::uint16_t port = close_udp_server();
  ASSERT_TRUE(events_->watch_udp({port}));
  const std::uint16_t other = close_udp_server();
  ASSERT_NE(other, port);
  close_udp_server(port);
  ASSERT_TRUE(wait_for(port));
  EXPECT_FALSE(told(other));
}

TEST_F(SocketEventsTest, ports_that_are_no_longer_watched_are_not_told) {
  const std::uint16_t port = close_udp_server();
  ASSERT_TRUE(events_->watch_udp({port}));
  ASSERT_TRUE(events_->watch_udp({}));
  close_udp_server(port);
  ASSERT_TRUE(wait_for(close_listener("127.0.0.1").port)) << "TCP goes on";
  EXPECT_FALSE(told(port));
  ASSERT_TRUE(events_->watch_udp({port}));
  close_udp_server(port);
  EXPECT_TRUE(wait_for(port));
}

// They would overflow the socket's buffer if the filter were not in the kernel.
TEST_F(SocketEventsTest, thousands_of_udp_clients_do_not_crowd_out_a_server) {
  const std::uint16_t port = close_udp_server();
  ASSERT_TRUE(events_->watch_udp({port}));
  for (int i = 0; i < 5000; ++i) close_udp_server();
  closed_.clear();
  close_udp_server(port);
  EXPECT_TRUE(wait_for(port));
  EXPECT_FALSE(told(0));
}

// The kernel hands its messages on from a worker of its own, sometimes while they are read already.
TEST_F(SocketEventsTest, an_overflow_is_told_as_port_0) {
  overflow();
  EXPECT_TRUE(overflowed_);
}

// Between the overflow and the empty queue the kernel drops events without a word. On a busy machine its worker may be
// handing on what is left, so that the buffer overflows again.
TEST_F(SocketEventsTest, a_listener_that_closes_when_an_overflow_is_told_is_told_or_another_overflow) {
  for (int round = 0; round < 20; ++round) {
    closed_.clear();
    std::uint16_t closed_then = 0;
    at_overflow_ = [&] { closed_then = close_listener("127.0.0.1").port; };
    overflow();
    ASSERT_NE(closed_then, 0) << "round " << round;
    ASSERT_TRUE(told(closed_then) || told(0) || wait_for_either(closed_then, 0)) << "round " << round;
  }
}

TEST_F(SocketEventsTest, nothing_is_told_after_its_end) {
  const auto address = close_listener("127.0.0.1");
  events_.reset();
  loop_.after(20ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_FALSE(told(address.port));
}

}  // namespace
}  // namespace meshdns::probes
