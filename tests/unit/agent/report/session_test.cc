#include "agent/report/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time/sim_clock.h"
#include "tests/support/sizes.h"
#include "tests/unit/agent/report/readable_codec.h"

namespace meshdns::report {
namespace {

using testing::ElementsAre;

/// Timers that fire late, as on a loop that was busy.
class LateTimers : public Timers {
 public:
  LateTimers(SimClock& clock, Duration lag) : clock_(clock), lag_(lag) {}
  TimerId after(Duration delay, std::function<void()> callback) override {
    return clock_.after(delay + lag_, std::move(callback));
  }
  void cancel(TimerId id) override { clock_.cancel(id); }

 private:
  SimClock& clock_;
  Duration lag_;
};

/// A session whose line keeps what was sent; a write is done when the test says so.
class SessionTest : public testing::Test {
 protected:
  SessionTest() { session_.emplace(syncer_, clock_, clock_, line()); }

  Session::Line line() {
    return {[this](const Outgoing& message) { sent_.push_back(message); }, [this] { ++aborts_; }};
  }

  template <class Body>
  const Body& last() const {
    return std::get<Body>(sent_.back().body);
  }

  /// A session that was welcomed and has nothing to say.
  void settle() {
    session_->begin();
    session_->written();
    session_->received(Welcome{7, "eu-1/a", false, 1s});
    sent_.clear();
  }

  void put(const std::string& key) {
    syncer_.put(endpoint(key), clock_.now());
    session_->pump();
  }

  SimClock clock_;
  LateTimers late_timers_{clock_, 300ms};
  Syncer syncer_{readable_codec(), test::size_or_smallest(Syncer::kPartBytes, std::size_t{1})};
  std::vector<Outgoing> sent_;
  int aborts_ = 0;
  std::optional<Session> session_;
};

TEST_F(SessionTest, begins_with_hello_and_waits) {
  session_->begin();
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Hello>(sent_[0].body));
  EXPECT_FALSE(session_->idle());
  session_->written();
  EXPECT_TRUE(session_->idle());
  clock_.advance(1h);
  EXPECT_EQ(sent_.size(), 1U);
}

TEST_F(SessionTest, a_welcome_that_overtakes_the_end_of_the_write_waits_for_it) {
  put("a");
  session_->begin();
  session_->received(Welcome{7, "eu-1/a", true, 1s});
  EXPECT_EQ(sent_.size(), 1U);
  session_->written();
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_THAT(last<Full>().endpoints, ElementsAre("a=v1"));
}

TEST_F(SessionTest, sends_a_change_at_once_and_what_comes_meanwhile_with_the_next_write) {
  syncer_ = Syncer(readable_codec());  // whatever size the other tests run at: two changes are one message
  settle();
  put("a");
  ASSERT_EQ(sent_.size(), 1U);
  put("b");
  put("c");
  EXPECT_EQ(sent_.size(), 1U);
  session_->written();
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_THAT(last<Delta>().upserts, ElementsAre("b=v1", "c=v1"));
  session_->written();
  EXPECT_EQ(sent_.size(), 2U);
}

TEST_F(SessionTest, every_part_follows_the_one_before) {
  syncer_ = Syncer(readable_codec(), 1);
  put("a");
  put("b");
  settle();
  session_->received(SendFull{});
  EXPECT_EQ(sent_.size(), 1U);
  session_->written();
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_TRUE(last<Full>().last);
}

TEST_F(SessionTest, heartbeats_follow_any_message_by_the_federations_interval) {
  settle();
  clock_.advance(999ms);
  EXPECT_TRUE(sent_.empty());
  clock_.advance(1ms);
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(last<Heartbeat>().loop_lag, 0s);
  session_->written();
  clock_.advance(600ms);
  put("a");
  session_->written();
  clock_.advance(999ms);
  EXPECT_EQ(sent_.size(), 2U);
  clock_.advance(1ms);
  EXPECT_EQ(sent_.size(), 3U);
}

TEST_F(SessionTest, no_heartbeat_is_queued_behind_a_slow_write_and_one_is_due_when_it_ends) {
  settle();
  put("a");
  clock_.advance(5s);
  EXPECT_EQ(sent_.size(), 1U);
  session_->written();
  clock_.advance(0s);
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Heartbeat>(sent_[1].body));
}

TEST_F(SessionTest, a_heartbeat_tells_how_late_it_is) {
  session_.emplace(syncer_, clock_, late_timers_, line());
  settle();
  clock_.advance(1300ms);
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(last<Heartbeat>().loop_lag, 300ms);
}

TEST_F(SessionTest, a_write_that_takes_too_long_ends_the_stream) {
  settle();
  put("a");
  clock_.advance(Session::kLongestWrite - 1ns);
  EXPECT_EQ(aborts_, 0);
  clock_.advance(1ns);
  EXPECT_EQ(aborts_, 1);
  clock_.advance(1min);
  EXPECT_EQ(aborts_, 1);
}

TEST_F(SessionTest, each_write_has_its_own_time) {
  settle();
  for (int i = 0; i < 5; ++i) {
    put(std::to_string(i));
    clock_.advance(9s);
    session_->written();
    if (!session_->idle()) session_->written();
  }
  EXPECT_EQ(aborts_, 0);
}

TEST_F(SessionTest, measurements_go_when_the_line_is_free_and_nothing_else_waits) {
  settle();
  session_->received(ReportSettings{0s, {{"gate", {}, 5s}}});
  put("a");
  put("b");
  syncer_.measured({"gate", Reach::Timeout, 0s});
  session_->pump();
  ASSERT_EQ(sent_.size(), 1U);
  syncer_.measured({"gate", Reach::Connected, 12ms});
  session_->written();
  EXPECT_THAT(last<Delta>().upserts, ElementsAre("b=v1"));
  session_->written();
  ASSERT_EQ(sent_.size(), 3U);
  EXPECT_THAT(last<Measurements>().results, ElementsAre(Measurement{"gate", Reach::Connected, 12ms}));
}

// Guards the digest: a node that measures all the time would never tell it.
TEST_F(SessionTest, measurements_come_once_per_heartbeat_and_heartbeats_as_ever) {
  settle();
  session_->received(ReportSettings{0s, {{"gate", {}, 5s}}});
  int heartbeats = 0;
  int measurements = 0;
  for (int i = 0; i < 1000; ++i) {
    clock_.advance(10ms);
    syncer_.measured({"gate", Reach::Connected, 1ms});
    session_->pump();
    if (session_->idle()) continue;
    (std::holds_alternative<Heartbeat>(sent_.back().body) ? heartbeats : measurements) += 1;
    session_->written();
  }
  EXPECT_EQ(heartbeats, 10);
  EXPECT_NEAR(measurements, 10, 1);
}

TEST_F(SessionTest, measurements_that_wait_are_sent_when_their_time_comes) {
  settle();
  session_->received(ReportSettings{5s, {{"gate", {}, 5s}}});
  syncer_.measured({"gate", Reach::Connected, 1ms});
  session_->pump();
  session_->written();
  clock_.advance(1s);
  put("a");
  session_->written();
  syncer_.measured({"gate", Reach::Connected, 2ms});
  session_->pump();
  sent_.clear();
  clock_.advance(4s);
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_THAT(last<Measurements>().results, ElementsAre(Measurement{"gate", Reach::Connected, 2ms}));
}

TEST_F(SessionTest, answers_a_ping_at_once) {
  settle();
  clock_.advance(100ms);
  session_->received(Ping{});
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Heartbeat>(sent_[0].body));
}

TEST_F(SessionTest, its_end_leaves_no_timer_and_the_syncer_offline) {
  settle();
  put("a");
  EXPECT_GT(clock_.pending(), 0U);
  session_.reset();
  EXPECT_EQ(clock_.pending(), 0U);
  EXPECT_EQ(syncer_.state(), Syncer::State::Offline);
}

// A line may report the end of a write before send() returns.
TEST_F(SessionTest, a_line_that_writes_at_once_is_fine) {
  Session::Line line;
  line.send = [this](const Outgoing& message) {
    sent_.push_back(message);
    session_->written();
  };
  line.abort = [this] { ++aborts_; };
  session_.emplace(syncer_, clock_, clock_, std::move(line));
  settle();
  put("a");
  put("b");
  EXPECT_EQ(sent_.size(), 2U);
  EXPECT_TRUE(session_->idle());
  clock_.advance(1min);
  EXPECT_EQ(sent_.size(), 62U);
  EXPECT_EQ(aborts_, 0);
}

}  // namespace
}  // namespace meshdns::report
