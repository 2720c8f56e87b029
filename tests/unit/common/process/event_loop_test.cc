#include "common/process/event_loop.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace meshdns::process {
namespace {

TEST(EventLoop, runs_posted_work_in_order_and_stops) {
  EventLoop loop;
  std::vector<int> ran;
  std::thread other([&] {
    for (int i = 0; i < 3; ++i) loop.post([&ran, i] { ran.push_back(i); });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(ran, std::vector({0, 1, 2}));
}

TEST(EventLoop, fires_timers_in_order_but_not_the_cancelled) {
  EventLoop loop;
  std::vector<int> fired;
  loop.after(20ms, [&] {
    fired.push_back(2);
    loop.stop();
  });
  loop.after(1ms, [&] { fired.push_back(1); });
  const TimerId never = loop.after(2ms, [&] { fired.push_back(99); });
  loop.cancel(never);
  loop.run();
  EXPECT_EQ(fired, std::vector({1, 2}));
}

TEST(EventLoop, a_timer_may_cancel_one_that_is_due_with_it) {
  EventLoop loop;
  bool second = false;
  TimerId id = 0;
  loop.after(1ms, [&] {
    loop.cancel(id);
    loop.after(5ms, [&] { loop.stop(); });
  });
  id = loop.after(1ms, [&] { second = true; });
  loop.run();
  EXPECT_FALSE(second);
}

}  // namespace
}  // namespace meshdns::process
