#include "dnsd/server/tcp_connection.h"

#include <gtest/gtest.h>

#include <string>

namespace meshdns::server {
namespace {

using Bytes = std::vector<std::uint8_t>;

const TimePoint kStart{std::chrono::hours(1)};

Bytes frame(const std::string& text) {
  Bytes out = {static_cast<std::uint8_t>(text.size() >> 8), static_cast<std::uint8_t>(text.size())};
  out.insert(out.end(), text.begin(), text.end());
  return out;
}

/// Answers "x" with "x!"; an empty request and "bad" are no DNS; "big" gives 60,000 bytes.
std::size_t echo(std::uint8_t* buffer, std::size_t length) {
  const std::string request(buffer, buffer + length);
  if (request.empty() || request == "bad") return 0;
  if (request == "big") return 60000;
  buffer[length] = '!';
  return length + 1;
}

class TcpConnectionTest : public testing::Test {
 protected:
  void receive(const Bytes& bytes) {
    connection.received(bytes);
    connection.work(echo, scratch, now);
  }
  std::string take() {
    const auto pending = connection.pending();
    std::string out(pending.begin(), pending.end());
    connection.sent(pending.size(), now);
    return out;
  }
  static std::string framed(const std::string& text) {
    const Bytes bytes = frame(text);
    return {bytes.begin(), bytes.end()};
  }

  TimePoint now = kStart;
  Bytes scratch = Bytes(65535);
  TcpConnection connection{kStart};
  TcpLimits limits;
};

TEST_F(TcpConnectionTest, AnswersPipelinedQueriesInOrder) {
  Bytes segment;
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    const Bytes one = frame(std::to_string(i));
    segment.insert(segment.end(), one.begin(), one.end());
    expected += framed(std::to_string(i) + "!");
  }
  receive(segment);
  EXPECT_EQ(take(), expected);
  EXPECT_TRUE(connection.wants_read());
  EXPECT_FALSE(connection.finished());
}

TEST_F(TcpConnectionTest, AnswersBytewiseArrivals) {
  for (const std::uint8_t byte : frame("hello")) {
    EXPECT_TRUE(connection.pending().empty());
    receive({byte});
  }
  EXPECT_EQ(take(), framed("hello!"));
}

TEST_F(TcpConnectionTest, HalfClosedClientsGetTheirAnswers) {
  connection.received(frame("a"));
  connection.end_of_input();
  EXPECT_FALSE(connection.finished()) << "a query waits";
  connection.work(echo, scratch, now);
  EXPECT_FALSE(connection.finished()) << "an answer waits";
  EXPECT_EQ(take(), framed("a!"));
  EXPECT_TRUE(connection.finished());
}

TEST_F(TcpConnectionTest, HalfAFrameAtTheEndIsNotWaitedFor) {
  receive({0, 9, 'x'});
  connection.end_of_input();
  EXPECT_TRUE(connection.finished());
}

TEST_F(TcpConnectionTest, WhatIsNotDnsEndsIt) {
  receive(frame("bad"));
  EXPECT_TRUE(connection.finished());
  TcpConnection other(kStart);
  other.received(frame(""));
  other.work(echo, scratch, now);
  EXPECT_TRUE(other.finished());
}

TEST_F(TcpConnectionTest, StopsAnsweringWhileEnoughWaits) {
  for (int i = 0; i < 10; ++i) connection.received(frame("big"));
  connection.work(echo, scratch, now);
  EXPECT_EQ(connection.pending().size(), 2 * 60002U);
  EXPECT_FALSE(connection.wants_read());
  std::size_t total = 0;
  for (int i = 0; i < 10 && !connection.pending().empty(); ++i) {
    total += take().size();
    connection.work(echo, scratch, now);
  }
  EXPECT_EQ(total, 10 * 60002U);
  EXPECT_TRUE(connection.wants_read());
}

TEST_F(TcpConnectionTest, FirstQueryIsDueSoon) {
  EXPECT_EQ(connection.deadline(limits, 1), kStart + 2s);
  now += 1s;
  receive({0, 9});
  EXPECT_EQ(connection.deadline(limits, 1), kStart + 2s) << "a part of a query gives no more time";
  receive(Bytes(9, 'x'));
  take();
  EXPECT_EQ(connection.deadline(limits, 1), now + 30s);
}

TEST_F(TcpConnectionTest, DripFedQueriesDoNotExtendTheIdleTime) {
  receive(frame("a"));
  take();
  now += 29s;
  receive({0, 9});
  EXPECT_EQ(connection.deadline(limits, 1), kStart + 30s);
}

TEST_F(TcpConnectionTest, WritingMustMakeProgress) {
  receive(frame("a"));
  EXPECT_EQ(connection.deadline(limits, 1), kStart + 500ms);
  now += 400ms;
  receive(frame("b"));
  EXPECT_EQ(connection.deadline(limits, 1), kStart + 500ms) << "asking more is no progress";
  connection.sent(2, now);
  EXPECT_EQ(connection.deadline(limits, 1), now + 500ms);
}

// docs/failures.md G1: what was large for a moment is not kept
TEST_F(TcpConnectionTest, IdleConnectionsAreSmall) {
  Bytes many;
  for (int i = 0; i < 2000; ++i) {
    const Bytes one = frame(std::string(30, 'x'));
    many.insert(many.end(), one.begin(), one.end());
  }
  receive(many);
  EXPECT_GT(connection.buffered(), 60000U);
  while (!connection.pending().empty()) {
    take();
    connection.work(echo, scratch, now);
  }
  EXPECT_LE(connection.buffered(), 2 * TcpConnection::kKept);
}

TEST(TcpLimits, IdleTimeShrinksUnderLoad) {
  const TcpLimits limits{.connections = 100};
  EXPECT_EQ(limits.idle_with(1), 30s);
  EXPECT_EQ(limits.idle_with(50), 30s);
  EXPECT_EQ(limits.idle_with(75), 15s);
  EXPECT_EQ(limits.idle_with(100), 2s);
  EXPECT_EQ(limits.idle_with(150), 2s);
}

}  // namespace
}  // namespace meshdns::server
