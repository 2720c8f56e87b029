#include "common/process/signals.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

namespace meshdns::process {
namespace {

void send(int number) { ASSERT_EQ(::kill(::getpid(), number), 0); }
/// The loop, or what it calls, stands still.
void stand_still() { ::poll(nullptr, 0, -1); }

class SignalsTest : public testing::Test {
 protected:
  SignalsTest() { hold_signals(); }
  ~SignalsTest() override { release_signals(); }
  EventLoop loop_;
};

TEST_F(SignalsTest, arrive_on_the_loop_in_their_order) {
  int reloads = 0;
  const auto signals = Signals::start(loop_, {.reload =
                                                  [&] {
                                                    ++reloads;
                                                    send(SIGTERM);
                                                  },
                                              .terminate = [&] { loop_.stop(); }});
  ASSERT_TRUE(signals);
  send(SIGHUP);
  loop_.run();
  EXPECT_EQ(reloads, 1);
}

// SIGHUP while a daemon started ended it by default.
TEST_F(SignalsTest, one_that_comes_before_is_not_lost) {
  send(SIGHUP);
  const auto signals = Signals::start(loop_, {.reload = [&] { loop_.stop(); }, .terminate = {}});
  ASSERT_TRUE(signals);
  loop_.run();
}

using SignalsDeathTest = SignalsTest;

TEST_F(SignalsDeathTest, stopping_has_an_end) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        EventLoop loop;
        const auto signals = Signals::start(loop, {.reload = {}, .terminate = stand_still}, 50ms);
        send(SIGTERM);
        loop.run();
      },
      testing::ExitedWithCode(1), "stopping takes too long");
}

TEST_F(SignalsDeathTest, a_second_signal_ends_what_stands_still) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        EventLoop loop;
        const auto again = [] {
          send(SIGINT);
          stand_still();
        };
        const auto signals = Signals::start(loop, {.reload = {}, .terminate = again}, 1h);
        send(SIGTERM);
        loop.run();
      },
      testing::ExitedWithCode(1), "a second signal");
}

TEST_F(SignalsDeathTest, the_deadline_holds_when_the_owner_is_gone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        EventLoop loop;
        {
          const auto signals = Signals::start(loop, {.reload = {}, .terminate = [&] { loop.stop(); }}, 50ms);
          send(SIGTERM);
          loop.run();
        }
        stand_still();
      },
      testing::ExitedWithCode(1), "stopping takes too long");
}

}  // namespace
}  // namespace meshdns::process
