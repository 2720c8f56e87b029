#include "common/time/sim_clock.h"

#include <gtest/gtest.h>

#include <vector>

namespace meshdns {
namespace {

TEST(SimClock, fires_in_order_of_time_then_creation) {
  SimClock clock;
  std::vector<int> fired;
  clock.after(2s, [&] { fired.push_back(2); });
  clock.after(1s, [&] { fired.push_back(1); });
  clock.after(2s, [&] { fired.push_back(3); });
  clock.advance(1999ms);
  EXPECT_EQ(fired, std::vector({1}));
  clock.advance(1ms);
  EXPECT_EQ(fired, std::vector({1, 2, 3}));
}

TEST(SimClock, a_callback_may_add_timers_that_fall_due_in_the_same_advance) {
  SimClock clock;
  int count = 0;
  std::function<void()> again = [&] {
    if (++count < 5) clock.after(1s, again);
  };
  clock.after(1s, again);
  clock.advance(3s);
  EXPECT_EQ(count, 3);
  EXPECT_EQ(clock.pending(), 1U);
}

TEST(SimClock, a_cancelled_timer_never_fires) {
  SimClock clock;
  bool fired = false;
  const TimerId id = clock.after(1s, [&] { fired = true; });
  clock.cancel(id);
  clock.advance(2s);
  EXPECT_FALSE(fired);
}

}  // namespace
}  // namespace meshdns
