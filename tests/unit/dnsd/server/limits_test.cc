// What a server's clients share: connections, descriptors, CPUs, and the policy that changes under them.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <list>

#include "common/base/descriptor_limit.h"
#include "dnsd/server/dns_server.h"
#include "tests/support/dns/reply.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/unit/dnsd/server/clients.h"

namespace meshdns::server {
namespace {

using test::Bytes;
using test::EdnsRequest;
using test::eventually;
using test::must;
using test::parse_reply;
using test::Reply;
using test::Request;
using test::TcpClient;
using test::UdpClient;
using wire::Option;

Bytes request(const EdnsRequest& edns = {}) { return Request{.name = "web.shop.mesh.internal", .edns = edns}.bytes(); }

class LimitsTest : public testing::Test {
 protected:
  void start() {
    options.listen = {must(SocketAddress::parse("127.0.0.1:0"))};
    server = must(DnsServer::start(options, table, clock));
  }
  SocketAddress at() const { return server->bound().front(); }
  static Reply reply(const Bytes& raw) { return must(parse_reply(raw)); }

  Quiescent<answers::AnswerTable> table{test::standard_mesh().table()};
  test::StepClock clock;
  ServerOptions options;
  std::unique_ptr<DnsServer> server;  // the last: it reads the others
};

// Loopback stands for many clients, as a forwarder does: 16 times as many connections.
TEST_F(LimitsTest, AClientClosesItsOwnLongestIdleConnection) {
  options.tcp.per_client = 1;
  start();
  std::list<TcpClient> clients;
  for (int i = 0; i < 16; ++i) EXPECT_FALSE(clients.emplace_back(at()).ask(request()).empty());
  EXPECT_FALSE(clients.front().ask(request()).empty()) << "now the second one is the longest idle";
  TcpClient another(at());
  EXPECT_FALSE(another.ask(request()).empty());
  EXPECT_TRUE(std::next(clients.begin())->is_over());
  EXPECT_FALSE(clients.front().ask(request()).empty());
  const ServerTotals totals = server->counters();
  EXPECT_EQ(totals.tcp_client_limit, 1U);
  EXPECT_EQ(totals.tcp_open, 16U);
  EXPECT_EQ(totals.tcp_accepted, 17U);
}

TEST_F(LimitsTest, KeepaliveTellsTheIdleTime) {
  options.tcp.connections = 4;
  options.tcp.idle = 20s;
  start();
  const Bytes asking = request(EdnsRequest{}.option(11, {}));
  std::list<TcpClient> clients;
  EXPECT_EQ(reply(clients.emplace_back(at()).ask(asking)).option(Option::TcpKeepalive), test::hex("00c8"));
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(clients.emplace_back(at()).ask(request()).empty());
  EXPECT_EQ(reply(clients.front().ask(asking)).option(Option::TcpKeepalive), test::hex("0064"))
      << "three of four in use: half of it";
  EXPECT_FALSE(reply(UdpClient(at()).ask(asking)).option(Option::TcpKeepalive));
}

// RFC 7766 6.2.4 as seen from the server's end: what was asked before the end is answered.
TEST_F(LimitsTest, WhatArrivedBeforeTheEndIsAnswered) {
  start();
  std::list<TcpClient> clients;
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(clients.emplace_back(at()).ask(request()).empty());
  for (auto& client : clients) client.send(TcpClient::framed(request(EdnsRequest{}.option(11, {}))));
  server->stop();
  for (auto& client : clients) {
    EXPECT_TRUE(reply(client.receive()).option(Option::TcpKeepalive));
    EXPECT_TRUE(client.is_over());
  }
}

TEST_F(LimitsTest, APolicyIsExchangedWhileItAnswers) {
  options.policy.nsid = "a";
  start();
  UdpClient udp(at());
  TcpClient tcp(at());
  const Bytes asking = request(EdnsRequest{}.option(3, {}).option(10, Bytes(8, 1)));
  for (const char* nsid : {"a", "b"}) {
    SCOPED_TRACE(nsid);
    query::Policy next;
    next.nsid = nsid;
    next.cookies.push_back({static_cast<std::uint8_t>(nsid[0])});
    server->set_policy(next);
    const auto expected = std::optional(Bytes{static_cast<std::uint8_t>(nsid[0])});
    for (const Bytes& raw : {udp.ask(asking), tcp.ask(asking)}) EXPECT_EQ(reply(raw).option(Option::Nsid), expected);
  }
  EXPECT_EQ(reply(udp.ask(asking)).option(Option::Cookie), reply(tcp.ask(asking)).option(Option::Cookie));
}

TEST_F(LimitsTest, RepeatedAnswersAreLimitedOverUdpOnly) {
  options.policy.rate_limit = {.per_second = 1, .burst = 5, .slip = 1, .exempt = {}};
  options.workers = 2;
  start();
  UdpClient udp(at());
  int truncated = 0;
  for (int i = 0; i < 20; ++i) truncated += reply(udp.ask(request())).tc ? 1 : 0;
  EXPECT_EQ(truncated, 15);
  EXPECT_EQ(server->counters().udp.rate_limited, 15U);
  EXPECT_EQ(server->last_limited(), "127.0.0.0/24");
  EXPECT_FALSE(reply(TcpClient(at()).ask(request())).tc);
}

TEST(Steering, NeedsAGroupOfSockets) {
  const Fd first = must(open_udp(must(SocketAddress::parse("127.0.0.1:0")), false));
  EXPECT_FALSE(steer_by_cpu(first, 1)) << "a socket alone";
  const Fd second = must(open_udp(bound_address(first), true));
  EXPECT_TRUE(steer_by_cpu(first, 2));
}

TEST_F(LimitsTest, SteeredPacketsAreAnswered) {
  options.workers = 2;
  start();
  EXPECT_EQ(server->warnings(), std::vector<std::string>{});
  for (int i = 0; i < 30; ++i) EXPECT_FALSE(UdpClient(at()).ask(request()).empty());
  EXPECT_EQ(server->counters().udp.received, 30U);
}

TEST(DescriptorLimit, IsRaisedAsFarAsItMayBe) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(50), 100U) << "never lowered";
  EXPECT_EQ(raise_descriptor_limit(200), 200U);
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, 200U);
  EXPECT_EQ(raise_descriptor_limit(before.rlim_max + 1), before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

// Guards against a loop that spins at accept(2) while there are no descriptors, and no connection that could make room.
TEST_F(LimitsTest, WithoutDescriptorsItPausesAndGoesOn) {
  start();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit low{static_cast<rlim_t>(next) + 1, before.rlim_max};  // the client's alone
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  TcpClient client(at());
  const auto later = [&] {
    clock.advance(60ms);
    return server->counters();
  };
  EXPECT_TRUE(eventually([&] { return later().tcp_accept_failed >= 3; }));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(eventually([&] { return later().tcp_open == 1; }));
  EXPECT_FALSE(client.ask(request()).empty());
}

}  // namespace
}  // namespace meshdns::server
