// D6: a trouble that lasts is told once a minute.
#include "common/log/reminder.h"

#include <gtest/gtest.h>

namespace meshdns::log {
namespace {

TEST(Reminder, D6_a_trouble_is_told_at_once_then_each_minute_and_at_its_end) {
  Reminder reminder;
  EXPECT_FALSE(reminder.ends()) << "there was none";
  int told = 0;
  for (int second = 0; second < 600; ++second) told += reminder.due(TimePoint{1h} + second * 1s) ? 1 : 0;
  EXPECT_EQ(told, 10);
  EXPECT_TRUE(reminder.ends());
  EXPECT_FALSE(reminder.ends());
  EXPECT_TRUE(reminder.due(TimePoint{1h} + 601s)) << "a new one";
}

}  // namespace
}  // namespace meshdns::log
