// The real server on loopback: sockets, threads, and the table that is exchanged under them.
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <thread>

#include "dnsd/server/dns_server.h"
#include "tests/support/dns/reply.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/unit/dnsd/server/clients.h"

namespace meshdns::server {
namespace {

using test::operator+;
using test::Bytes;
using test::eventually;
using test::must;
using test::parse_reply;
using test::Reply;
using test::Request;
using test::TcpClient;
using test::UdpClient;

constexpr const char* kWeb = "web.shop.mesh.internal";

Bytes request(std::uint16_t id = 1, const char* name = kWeb) { return Request{.name = name, .id = id}.bytes(); }

template <class Array>
std::uint64_t sum(const Array& array) {
  return std::accumulate(array.begin(), array.end(), std::uint64_t{0});
}

class ServerTest : public testing::Test {
 protected:
  void start(const char* listen = "127.0.0.1:0") {
    if (options.listen.empty()) options.listen = {must(SocketAddress::parse(listen))};
    server = must(DnsServer::start(options, table, clock));
  }
  SocketAddress at(std::size_t listener = 0) const { return server->bound().at(listener); }
  /// The server's port at another of its addresses
  SocketAddress at(const char* ip) const { return {must(IpAddress::parse(ip)), at().port}; }

  static void expect_web(const Bytes& raw, std::uint16_t id = 1) {
    ASSERT_FALSE(raw.empty()) << "no answer";
    const Reply reply = must(parse_reply(raw));
    EXPECT_EQ(reply.id, id);
    EXPECT_EQ(reply.answer.size(), 2U);
  }
  void expect_sums() {
    const ServerTotals totals = server->counters();
    for (const query::Totals& of : {totals.udp, totals.tcp}) {
      EXPECT_EQ(of.received, sum(of.dropped) + sum(of.by_rcode));
    }
    EXPECT_EQ(totals.tcp_accepted, totals.tcp_open + totals.tcp_closed + totals.tcp_timed_out + totals.tcp_evicted +
                                       totals.tcp_client_limit);
    EXPECT_EQ(totals.udp_send_failed, 0U);
  }

  Quiescent<answers::AnswerTable> table{test::standard_mesh().table()};
  test::StepClock clock;
  ServerOptions options;
  std::unique_ptr<DnsServer> server;  // the last: it reads the others
};

TEST_F(ServerTest, AnswersUdp) {
  start();
  EXPECT_NE(at().port, 0);
  UdpClient client(at());
  expect_web(client.ask(request(7)), 7);
  EXPECT_EQ(server->counters().udp.received, 1U);
  expect_sums();
}

// A control thread that stands still cannot publish that what it published is stale.
TEST_F(ServerTest, AnswersAreStaleWhileTheControlThreadIsSilent) {
  start();
  UdpClient udp(at());
  const Bytes question = Request{.name = kWeb, .id = 1, .edns = test::EdnsRequest{}}.bytes();
  const auto expect_ede = [&](const std::string& ede) {
    EXPECT_EQ(must(parse_reply(udp.ask(question))).ede(), ede);
    EXPECT_EQ(must(parse_reply(TcpClient(at()).ask(question))).ede(), ede);
  };
  expect_ede("");  // nobody has begun to beat
  server->pulse().beat(clock.now(), 30s);
  clock.advance(30s);
  expect_ede("");
  clock.advance(1s);
  expect_ede("3");
  server->pulse().beat(clock.now(), 30s);
  expect_ede("");
}

TEST_F(ServerTest, AnswersTcpOnTheSamePort) {
  start();
  TcpClient client(at());
  expect_web(client.ask(request(1)), 1);
  expect_web(client.ask(request(2)), 2);
  EXPECT_EQ(server->counters().tcp.received, 2U);
  EXPECT_EQ(server->counters().tcp_open, 1U);
  expect_sums();
}

// With socket activation the service manager keeps its sockets: what arrives between two servers waits in them.
TEST_F(ServerTest, InheritedSocketsOutliveTheServer) {
  const Fd udp = must(open_udp(must(SocketAddress::parse("127.0.0.1:0")), false));
  const Fd tcp = must(open_tcp(bound_address(udp)));
  options.listen = {bound_address(udp)};
  options.inherited = {udp.get(), tcp.get()};
  options.workers = 3;
  start();
  EXPECT_TRUE(server->inherited(0));
  UdpClient client(at());
  expect_web(client.ask(request(1)), 1);
  expect_web(TcpClient(at()).ask(request(2)), 2);
  server.reset();
  for (std::uint16_t id = 3; id < 20; ++id) client.send(request(id));
  start();
  std::set<std::uint16_t> heard;
  for (std::uint16_t id = 3; id < 20; ++id) heard.insert(must(parse_reply(client.receive())).id);
  EXPECT_EQ(heard.size(), 17U);
  expect_sums();
}

TEST_F(ServerTest, OnlySocketsOfAListenAddressAreInherited) {
  const Fd other = must(open_udp(must(SocketAddress::parse("127.0.0.1:0")), false));
  options.inherited = {other.get()};
  start();
  EXPECT_FALSE(server->inherited(0));
  EXPECT_NE(at(), bound_address(other));
  expect_web(UdpClient(at()).ask(request()));
}

TEST_F(ServerTest, AnswersIPv6) {
  if (!open_udp(must(SocketAddress::parse("[::1]:0")), false)) GTEST_SKIP() << "no IPv6 loopback on this machine";
  start("[::1]:0");
  expect_web(UdpClient(at()).ask(request()));
  expect_web(TcpClient(at()).ask(request()));
}

// What is no request gets silence, and disturbs no neighbour in its batch.
TEST_F(ServerTest, OddPacketsAmongGoodOnes) {
  start();
  UdpClient client(at());
  for (std::uint16_t i = 0; i < 60; i = static_cast<std::uint16_t>(i + 3)) {
    client.send(Bytes(3));
    client.send(test::header(i, 0x8000, 0, 0, 0, 0));
    client.send(request(i));
  }
  for (std::uint16_t i = 0; i < 60; i = static_cast<std::uint16_t>(i + 3)) expect_web(client.receive(), i);
  EXPECT_TRUE(eventually([&] { return server->counters().udp.received == 60; }));
  EXPECT_EQ(sum(server->counters().udp.dropped), 40U);
  expect_sums();
}

TEST_F(ServerTest, UdpDatagramsOfAnySize) {
  start();
  UdpClient client(at());
  const auto padded = [](std::size_t size) {
    return test::Request{.name = kWeb, .edns = test::EdnsRequest{}.option(12, Bytes(size))}.bytes();
  };
  expect_web(client.ask(padded(1500)), 0x1234);
  EXPECT_EQ(must(parse_reply(client.ask(padded(9000)))).rcode, 1) << "longer than anybody asks: its end is not read";
}

TEST_F(ServerTest, FiftyPipelinedInOneSegment) {
  start();
  Bytes segment;
  std::set<std::uint16_t> waiting;
  for (std::uint16_t id = 100; id < 150; ++id) {
    segment = segment + TcpClient::framed(request(id));
    waiting.insert(id);
  }
  TcpClient client(at());
  client.send(segment);
  while (!waiting.empty()) {
    const Bytes raw = client.receive();
    ASSERT_FALSE(raw.empty()) << waiting.size() << " answers are missing";
    EXPECT_EQ(waiting.erase(must(parse_reply(raw)).id), 1U);  // matched by id: the order is free (RFC 7766 6.2.1.1)
  }
}

TEST_F(ServerTest, ByteAtATime) {
  start();
  TcpClient client(at());
  for (const std::uint8_t byte : TcpClient::framed(request(3)) + TcpClient::framed(request(4))) client.send({byte});
  expect_web(client.receive(), 3);
  expect_web(client.receive(), 4);
}

TEST_F(ServerTest, HalfClosedClientsAreAnswered) {
  start();
  TcpClient client(at());
  client.send(TcpClient::framed(request(1)) + TcpClient::framed(request(2)));
  client.end_of_input();
  expect_web(client.receive(), 1);
  expect_web(client.receive(), 2);
  EXPECT_TRUE(client.is_over());
  EXPECT_TRUE(eventually([&] { return server->counters().tcp_closed == 1; }));
  expect_sums();
}

TEST_F(ServerTest, WhatIsNoDnsEndsTheConnection) {
  start();
  TcpClient client(at());
  client.send(TcpClient::framed(Bytes(5)));
  EXPECT_TRUE(client.is_over());
  expect_sums();
}

TEST_F(ServerTest, LargeAnswersOverTcp) {
  test::SmallMesh mesh;
  mesh.node("eu-1/n1");
  mesh.endpoints("eu-1/n1", "shop/api", 2000);
  table.publish(mesh.table());
  start();
  const Bytes raw = TcpClient(at()).ask(request(1, "_all.api.shop.mesh.internal"));
  EXPECT_EQ(must(parse_reply(raw)).answer.size(), 2000U);
}

// On a wildcard address the answer leaves from the address that was asked: a connected socket takes no other.
TEST_F(ServerTest, AWildcardAnswersFromTheAskedAddress) {
  start("0.0.0.0:0");
  for (const char* asked : {"127.0.0.1", "127.0.0.5", "127.9.9.9"}) {
    SCOPED_TRACE(asked);
    UdpClient client(at(asked));
    expect_web(client.ask(request(1)), 1);
    expect_web(client.ask(request(2)), 2);
    expect_web(TcpClient(at(asked)).ask(request()));
  }
  expect_sums();
}

TEST_F(ServerTest, ListenersKnowTheirPlaces) {
  test::SmallMesh mesh;
  mesh.node("eu-1/n1");
  mesh.node("us-1/n1");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  mesh.endpoint("us-1/n1", "shop/web", "10.2.0.11");
  mesh.settings.listeners = {{"first", {.region = "eu"}}, {"second", {.region = "us"}}};
  table.publish(mesh.table());
  options.listen = {must(SocketAddress::parse("127.0.0.1:0")), must(SocketAddress::parse("127.0.0.2:0"))};
  start();
  const char* const expected[] = {"web.shop.mesh.internal. 5 IN A 10.0.0.11",
                                  "web.shop.mesh.internal. 5 IN A 10.2.0.11"};
  for (const std::size_t listener : {0U, 1U}) {
    for (const Bytes& raw : {UdpClient(at(listener)).ask(request()), TcpClient(at(listener)).ask(request())}) {
      EXPECT_EQ(must(parse_reply(raw)).answer, std::vector<std::string>{expected[listener]});
    }
  }
}

TEST_F(ServerTest, SeveralWorkersShareThePort) {
  options.workers = 3;
  start();
  for (std::uint16_t i = 0; i < 30; ++i) expect_web(UdpClient(at()).ask(request(i)), i);
  EXPECT_EQ(server->counters().udp.received, 30U);
}

// Every answer is one table's or the other's, and in the end the last one's.
TEST_F(ServerTest, TablesAreExchangedWhileItAnswers) {
  std::vector<std::shared_ptr<const answers::AnswerTable>> tables;
  for (const char* address : {"10.0.0.1", "10.0.0.2"}) {
    test::SmallMesh mesh;
    mesh.node("eu-1/n1");
    mesh.endpoint("eu-1/n1", "shop/web", address);
    tables.push_back(mesh.table());
  }
  table.publish(tables[0]);
  options.workers = 2;
  start();
  std::atomic<bool> done{false};
  std::thread publisher([&] {
    for (std::size_t i = 0; !done; ++i) table.publish(tables[i % 2]);
  });
  UdpClient udp(at());
  TcpClient tcp(at());
  std::set<std::string> seen;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    for (const Bytes& raw : {udp.ask(request(i)), tcp.ask(request(i))}) {
      const auto reply = parse_reply(raw);
      if (!reply || reply->answer.size() != 1) ADD_FAILURE() << "no whole answer";
      if (reply) seen.insert(reply->answer.begin(), reply->answer.end());
    }
  }
  done = true;
  publisher.join();
  EXPECT_LE(seen.size(), 2U);
  table.publish(tables[1]);
  EXPECT_EQ(must(parse_reply(udp.ask(request()))).answer[0], "web.shop.mesh.internal. 5 IN A 10.0.0.2");
  EXPECT_EQ(must(parse_reply(tcp.ask(request()))).answer[0], "web.shop.mesh.internal. 5 IN A 10.0.0.2");
}

TEST_F(ServerTest, IdleThreadsKeepNoOldTable) {
  start();
  const std::weak_ptr<const answers::AnswerTable> old = table.get();
  table.publish(test::standard_mesh().table());
  EXPECT_TRUE(eventually([&] {
    table.reclaim();
    return old.expired();
  }));
}

TEST_F(ServerTest, IdleConnectionsEnd) {
  start();
  TcpClient silent(at());
  TcpClient client(at());
  expect_web(client.ask(request()));
  EXPECT_TRUE(eventually([&] { return server->counters().tcp_open == 2; }));
  clock.advance(2s);
  EXPECT_TRUE(silent.is_over()) << "no first query";
  clock.advance(27s);
  expect_web(client.ask(request()));
  clock.advance(30s);
  EXPECT_TRUE(client.is_over());
  EXPECT_EQ(server->counters().tcp_timed_out, 2U);
  expect_sums();
}

TEST_F(ServerTest, TheLongestIdleOneMakesRoom) {
  options.tcp.connections = 2;
  start();
  TcpClient first(at());
  expect_web(first.ask(request()));
  TcpClient second(at());
  expect_web(second.ask(request()));
  expect_web(first.ask(request()));
  TcpClient third(at());
  expect_web(third.ask(request()));
  EXPECT_TRUE(second.is_over());
  expect_web(first.ask(request()));
  EXPECT_EQ(server->counters().tcp_evicted, 1U);
  expect_sums();
}

TEST_F(ServerTest, AClientThatDoesNotReadIsCut) {
  test::SmallMesh mesh;
  mesh.node("eu-1/n1");
  mesh.endpoints("eu-1/n1", "shop/api", 2000);
  table.publish(mesh.table());
  start();
  TcpClient client(at());
  Bytes many;  // 20 MB of answers: more than the kernel takes
  for (int i = 0; i < 640; ++i) many = many + TcpClient::framed(request(1, "_all.api.shop.mesh.internal"));
  client.send_some(many);
  TcpClient other(at());
  EXPECT_TRUE(eventually([&] {
    EXPECT_FALSE(other.ask(request()).empty()) << "the others do not wait for it";
    clock.advance(100ms);
    return server->counters().tcp_timed_out == 1;
  }));
  expect_sums();
}

TEST_F(ServerTest, StopJoinsAndFreesThePort) {
  start("127.0.66.1:0");  // nobody else takes a port of this address meanwhile
  TcpClient client(at());
  expect_web(client.ask(request()));
  const SocketAddress address = at();
  server->stop();
  EXPECT_TRUE(client.is_over());
  expect_sums();
  server->stop();
  server.reset();
  options.listen = {address};
  start();
  expect_web(UdpClient(at()).ask(request()));
}

TEST_F(ServerTest, EveryThreadTicksWithoutTraffic) {
  options.workers = 2;
  start();
  const auto before = server->ticks();
  ASSERT_EQ(before.size(), 3U) << "two for UDP, one for TCP";
  EXPECT_TRUE(eventually([&] {
    const auto now = server->ticks();
    return now[0] > before[0] && now[1] > before[1] && now[2] > before[2];
  }));
}

TEST_F(ServerTest, StartsOnlyWithWhatItNeeds) {
  EXPECT_EQ(DnsServer::start(options, table, clock).error().message(), "no listen address");
  options.listen = {must(SocketAddress::parse("127.0.0.1:0"))};
  Quiescent<answers::AnswerTable> empty;
  EXPECT_EQ(DnsServer::start(options, empty, clock).error().code(), Code::FailedPrecondition);
}

TEST_F(ServerTest, ATakenPortIsAnErrorThatNamesItsHolder) {
  start();
  ServerOptions second;
  second.listen = {at()};
  const auto failed = DnsServer::start(second, table, clock);
  ASSERT_FALSE(failed.has_value()) << "two servers must not share a port unseen";
  EXPECT_NE(failed.error().message().find(at().text()), std::string::npos) << failed.error().message();
  EXPECT_NE(failed.error().message().find("held by"), std::string::npos) << failed.error().message();
}

}  // namespace
}  // namespace meshdns::server
