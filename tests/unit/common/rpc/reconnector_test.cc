#include "common/rpc/reconnector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time/sim_clock.h"

namespace meshdns::rpc {
namespace {

using testing::ElementsAre;

class ReconnectorTest : public testing::Test {
 protected:
  Reconnector::Failure end(bool was_connected, Duration least_delay = {}) {
    return reconnector_.ended(was_connected, least_delay);
  }

  SimClock clock_;
  std::vector<std::string> opened_;
  Reconnector reconnector_{clock_, {"a:1", "b:1"}, 1, [this] { opened_.push_back(reconnector_.server()); }};
};

TEST_F(ReconnectorTest, tries_the_servers_in_turn_after_growing_delays) {
  reconnector_.begin();
  Duration longest{};
  for (int i = 0; i < 8; ++i) {
    const auto failure = end(false);
    EXPECT_EQ(failure.server, opened_.back());
    EXPECT_GE(failure.delay * 2, longest);
    longest = std::max(longest, failure.delay);
    const std::size_t attempts = opened_.size();
    clock_.advance(failure.delay - 1ns);
    EXPECT_EQ(opened_.size(), attempts);
    clock_.advance(1ns);
    EXPECT_EQ(opened_.size(), attempts + 1);
  }
  EXPECT_THAT(opened_, ElementsAre("a:1", "b:1", "a:1", "b:1", "a:1", "b:1", "a:1", "b:1", "a:1"));
  EXPECT_GE(longest, Backoff::kLongest / 2);
}

TEST_F(ReconnectorTest, waits_as_long_as_the_server_asked) {
  EXPECT_EQ(end(true, 30s).delay, 30s);
  EXPECT_EQ(reconnector_.server(), "b:1");
}

TEST_F(ReconnectorTest, begins_with_a_short_delay_after_a_server_has_answered) {
  for (int i = 0; i < 8; ++i) end(false);
  reconnector_.connected();
  EXPECT_LE(end(false).delay, Backoff::kShortest);
  for (int i = 0; i < 8; ++i) end(false);
  EXPECT_LE(end(true).delay, Backoff::kShortest);
}

TEST_F(ReconnectorTest, logs_each_lost_stream_and_few_failures_in_a_row) {
  EXPECT_TRUE(end(false).logged);
  EXPECT_TRUE(end(false).logged);
  EXPECT_FALSE(end(false).logged);
  EXPECT_TRUE(end(true).logged);
  EXPECT_TRUE(end(false).logged);
  EXPECT_TRUE(end(false).logged);
  EXPECT_FALSE(end(false).logged);
}

TEST_F(ReconnectorTest, hurries_and_stops_the_waiting_attempt) {
  reconnector_.hurry();
  EXPECT_TRUE(opened_.empty());
  end(false, 30s);
  reconnector_.hurry();
  EXPECT_THAT(opened_, ElementsAre("b:1"));
  EXPECT_EQ(clock_.pending(), 0U);
  end(false, 30s);
  reconnector_.stop();
  clock_.advance(60s);
  EXPECT_THAT(opened_, ElementsAre("b:1"));
}

TEST_F(ReconnectorTest, makes_no_attempt_after_its_end) {
  {
    Reconnector gone(clock_, {"c:1"}, 1, [this] { opened_.emplace_back("c:1"); });
    gone.ended(false, 1s);
  }
  clock_.advance(60s);
  EXPECT_TRUE(opened_.empty());
}

}  // namespace
}  // namespace meshdns::rpc
