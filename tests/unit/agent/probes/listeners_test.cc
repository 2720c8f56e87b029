#include "agent/probes/listeners.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <vector>

#include "tests/unit/agent/probes/loopback.h"

namespace meshdns::probes {
namespace {

namespace fs = std::filesystem;

/// A bound UDP socket on 127.0.0.1.
class UdpSocket {
 public:
  explicit UdpSocket(std::uint16_t port = 0) : descriptor_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket() { close(descriptor_); }

  std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

 private:
  int descriptor_;
};

std::size_t open_descriptors() {
  const fs::directory_iterator begin("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin, fs::directory_iterator()));
}

class ListenersTest : public testing::Test {
 protected:
  /// Runs until so many lists have been read.
  void read(int more) {
    const int last = lists_ + more;
    stop_after_ = last;
    const auto timer = loop_.after(120s, [this] { loop_.stop(); });
    loop_.run();
    loop_.restart();
    loop_.cancel(timer);
    ASSERT_EQ(lists_, last);
  }

  process::EventLoop loop_;
  int lists_ = 0;
  int stop_after_ = 0;
  std::vector<SocketAddress> appeared_;
  Listeners listeners_{loop_, [this](const SocketAddress& where) { appeared_.push_back(where); },
                       [this] {
                         // in the order of the calls: what the list has shown is known when run() returns
                         if (++lists_ == stop_after_) loop_.post([this] { loop_.stop(); });
                       },
                       5ms};
};

TEST_F(ListenersTest, reports_a_tcp_listener_that_appears_once) {
  const LoopbackSocket waiting("127.0.0.1", -1);  // bound, and does not listen yet
  listeners_.expect({{Protocol::Tcp, waiting.port()}});
  read(2);
  ASSERT_EQ(listeners_.problem(), "");
  EXPECT_TRUE(appeared_.empty());
  ASSERT_EQ(listen(waiting.descriptor(), 1), 0);
  read(3);
  EXPECT_EQ(appeared_, std::vector{waiting.address()});
}

TEST_F(ListenersTest, reports_a_udp_server_that_appears) {
  const std::uint16_t port = UdpSocket().port();
  listeners_.expect({{Protocol::Udp, port}});
  read(2);
  const UdpSocket server(port);
  read(3);
  EXPECT_EQ(appeared_, (std::vector{SocketAddress{IpAddress::parse("127.0.0.1").value(), port}}));
}

TEST_F(ListenersTest, what_is_there_already_has_not_appeared) {
  const LoopbackSocket there;
  const LoopbackSocket other;
  listeners_.expect({{Protocol::Tcp, there.port()}});
  read(2);
  listeners_.expect({{Protocol::Tcp, there.port()}, {Protocol::Tcp, other.port()}});
  read(3);
  EXPECT_TRUE(appeared_.empty());
}

TEST_F(ListenersTest, ports_that_nobody_expects_and_other_protocols_are_not_reported) {
  const LoopbackSocket waiting("127.0.0.1", -1);
  listeners_.expect({{Protocol::Udp, waiting.port()}, {Protocol::Tcp, 1}});
  read(2);
  ASSERT_EQ(listen(waiting.descriptor(), 1), 0);
  read(3);
  EXPECT_TRUE(appeared_.empty());
}

TEST_F(ListenersTest, without_ports_nothing_is_read_and_nothing_is_open) {
  loop_.after(1ms, [this] { loop_.stop(); });  // the loop opens its own descriptors when it runs first
  loop_.run();
  loop_.restart();
  const std::size_t before = open_descriptors();
  listeners_.expect({{Protocol::Tcp, 1}});
  read(1);
  listeners_.expect({});
  const int lists = lists_;
  loop_.after(50ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(lists_, lists);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ListenersTest, ports_that_change_all_the_time_leak_nothing) {
  listeners_.expect({{Protocol::Tcp, 1}});
  read(1);
  const std::size_t before = open_descriptors();
  for (std::uint16_t round = 1; round < 2000; ++round) {
    listeners_.expect(round % 3 == 0 ? std::set<ExpectedPort>() : std::set<ExpectedPort>{{Protocol::Tcp, round}});
    loop_.post([this] { loop_.stop(); });
    loop_.run();
    loop_.restart();
  }
  listeners_.expect({});
  loop_.after(20ms, [this] { loop_.stop(); });  // a list that is being read goes on
  loop_.run();
  EXPECT_LE(open_descriptors(), before);
}

}  // namespace
}  // namespace meshdns::probes
