#include "dnsd/server/tap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "dnsd/server/dns_server.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/unit/dnsd/server/clients.h"

namespace meshdns::server {
namespace {

using test::Bytes;
using test::must;
using test::Request;
using testing::ElementsAre;

Bytes copy(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

/// What a lane holds, as text: "1:7 of 3, 2"
std::vector<std::string> drained(Tap::Lane& lane, std::size_t most = 1000) {
  std::vector<std::string> out;
  lane.drain(most, [&](const Exchange& exchange) {
    for (const std::uint8_t byte : exchange.query) ASSERT_EQ(byte, exchange.listener & 0xFF);
    for (const std::uint8_t byte : exchange.answer) ASSERT_EQ(byte, (exchange.listener + 1) & 0xFF);
    out.push_back(std::to_string(exchange.listener) + ": " + std::to_string(exchange.query.size()) + ", " +
                  std::to_string(exchange.answer.size()));
  });
  return out;
}

void note(Tap::Lane& lane, std::uint16_t number, std::size_t query, std::size_t answer) {
  const Bytes asked(query, static_cast<std::uint8_t>(number));
  const Bytes answered(answer, static_cast<std::uint8_t>(number + 1));
  lane.note({.at = TimePoint(1s), .listener = number, .query = asked, .answer = answered});
}

TEST(TapLaneTest, OldestFirstAndAtMost) {
  Tap::Lane lane(1024);
  note(lane, 1, 10, 20);
  note(lane, 2, 0, 0);
  note(lane, 3, 7, 0);
  EXPECT_THAT(drained(lane, 2), ElementsAre("1: 10, 20", "2: 0, 0"));
  EXPECT_THAT(drained(lane), ElementsAre("3: 7, 0"));
  EXPECT_THAT(drained(lane), ElementsAre());
}

TEST(TapLaneTest, FullLosesTheNewestAndCounts) {
  Tap::Lane lane(1024);
  for (std::uint16_t i = 0; i < 4; ++i) note(lane, i, 200, i == 3 ? 0 : 200);
  EXPECT_THAT(drained(lane), ElementsAre("0: 200, 200", "1: 200, 200"));
  EXPECT_EQ(lane.missed(), 3U) << "one with an answer, one without";
  note(lane, 7, 2000, 0);
  EXPECT_EQ(lane.missed(), 4U) << "larger than all of it";
  note(lane, 8, 200, 200);
  EXPECT_THAT(drained(lane), ElementsAre("8: 200, 200"));
}

// All sizes, round and round: whatever the end cuts off is skipped.
TEST(TapLaneTest, WrapsAround) {
  Tap::Lane lane(1024);
  for (std::uint16_t i = 0; i < 2000; ++i) {
    note(lane, i, i % 97, i % 89);
    ASSERT_THAT(drained(lane),
                ElementsAre(std::to_string(i) + ": " + std::to_string(i % 97) + ", " + std::to_string(i % 89)));
  }
  EXPECT_EQ(lane.missed(), 0U);
}

TEST(TapLaneTest, OneWritesWhileOneReads) {
  constexpr std::uint16_t kCount = 60000;
  Tap::Lane lane(1 << 16);
  std::thread writer([&] {
    for (std::uint16_t i = 1; i <= kCount; ++i) note(lane, i, i % 50, i % 31);
  });
  std::uint64_t seen = 0;
  std::uint16_t last = 0;
  const auto look = [&] {
    lane.drain(100, [&](const Exchange& exchange) {
      ASSERT_GT(exchange.listener, last);
      last = exchange.listener;
      seen += exchange.messages();
      ASSERT_EQ(exchange.query.size(), exchange.listener % 50U);
      for (const std::uint8_t byte : exchange.query) ASSERT_EQ(byte, exchange.listener & 0xFF);
    });
  };
  for (int i = 0; i < 1000; ++i) look();
  writer.join();
  for (int i = 0; i <= kCount / 100; ++i) look();
  std::uint64_t all = 0;
  for (std::uint16_t i = 1; i <= kCount; ++i) all += i % 31 == 0 ? 1 : 2;
  EXPECT_EQ(seen + lane.missed(), all);
}

TEST(TapTest, WhatIsAskedAndAnsweredOverUdpAndTcp) {
  Quiescent<answers::AnswerTable> table{test::standard_mesh().table()};
  const test::StepClock clock;
  ServerOptions options;
  options.listen = {must(SocketAddress::parse("127.0.0.1:0"))};
  options.tap = true;
  const auto server = must(DnsServer::start(options, table, clock));
  const Bytes request = Request{.name = "web.shop.mesh.internal"}.bytes();
  const Bytes over_udp = test::UdpClient(server->bound()[0]).ask(request);
  const Bytes over_tcp = test::TcpClient(server->bound()[0]).ask(request);
  server->stop();
  std::vector<Bytes> answers;
  server->tap()->drain(10, [&](const Exchange& exchange) {
    EXPECT_EQ(copy(exchange.query), request);
    EXPECT_EQ(exchange.client.text(), "127.0.0.1");
    EXPECT_NE(exchange.client_port, 0);
    EXPECT_EQ(exchange.stream, !answers.empty()) << "UDP's lane is the first";
    EXPECT_EQ(exchange.at, clock.now());
    answers.push_back(copy(exchange.answer));
  });
  EXPECT_THAT(answers, ElementsAre(over_udp, over_tcp));
}

TEST(TapTest, OffUnlessWanted) {
  Quiescent<answers::AnswerTable> table{test::standard_mesh().table()};
  const test::StepClock clock;
  ServerOptions options;
  options.listen = {must(SocketAddress::parse("127.0.0.1:0"))};
  EXPECT_EQ(must(DnsServer::start(options, table, clock))->tap(), nullptr);
}

}  // namespace
}  // namespace meshdns::server
