#include "common/published/quiescent.h"

#include <gtest/gtest.h>

#include <thread>

namespace meshdns {
namespace {

using Numbers = Quiescent<int>;

std::shared_ptr<const int> number(int value) { return std::make_shared<const int>(value); }

TEST(QuiescentTest, AReaderSeesTheNewestAndKeepsWhatItReads) {
  Numbers numbers;
  Numbers::Reader reader(numbers);
  EXPECT_TRUE(numbers.empty());
  EXPECT_EQ(reader.read(), nullptr);
  auto first = number(1);
  const std::weak_ptr<const int> watch = first;
  numbers.publish(std::move(first));
  EXPECT_EQ(*reader.read(), 1);
  numbers.publish(number(2));
  EXPECT_FALSE(watch.expired()) << "the reader has not looked again yet";
  EXPECT_EQ(numbers.reclaim(), 1U);
  EXPECT_EQ(*reader.read(), 2);
  EXPECT_EQ(numbers.reclaim(), 0U);
  EXPECT_TRUE(watch.expired());
}

TEST(QuiescentTest, AReaderThatIsOfflineHoldsNothingBack) {
  Numbers numbers(number(1));
  const std::weak_ptr<const int> watch = numbers.get();
  Numbers::Reader reader(numbers);
  EXPECT_EQ(*reader.read(), 1);
  reader.offline();
  numbers.publish(number(2));
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(*reader.read(), 2) << "back again, with what is new";
}

TEST(QuiescentTest, OneSlowReaderHoldsBackOnlyWhatItMaySee) {
  Numbers numbers(number(1));
  Numbers::Reader slow(numbers);
  Numbers::Reader quick(numbers);
  EXPECT_EQ(*slow.read(), 1);
  for (int i = 2; i <= 4; ++i) {
    numbers.publish(number(i));
    EXPECT_EQ(*quick.read(), i);
  }
  EXPECT_EQ(numbers.reclaim(), 3U) << "the slow one may have looked at any since";
  EXPECT_EQ(*slow.read(), 4);
  EXPECT_EQ(numbers.reclaim(), 0U);
}

TEST(QuiescentTest, AReaderThatLeavesHoldsNothingBack) {
  Numbers numbers(number(1));
  {
    Numbers::Reader reader(numbers);
    EXPECT_EQ(*reader.read(), 1);
    numbers.publish(number(2));
    EXPECT_EQ(numbers.reclaim(), 1U);
  }
  EXPECT_EQ(numbers.reclaim(), 0U);
}

/// Both are equal while it lives.
struct Pair {
  explicit Pair(int value) : first(value), second(value) {}

  int first;
  int second;
};

// Guards the hand-over: under TSan and ASan a missing order shows here.
TEST(QuiescentTest, NeverGoesBackAndNeverFreesWhatIsRead) {
  Quiescent<Pair> pairs(std::make_shared<const Pair>(0));
  constexpr int kLast = 20'000;
  const auto look = [&](bool sleeper) {
    Quiescent<Pair>::Reader reader(pairs);
    int seen = 0;
    while (seen < kLast) {
      const Pair& pair = *reader.read();
      const int now = pair.first;
      ASSERT_GE(now, seen);
      ASSERT_EQ(now, pair.second);
      seen = now;
      if (sleeper) reader.offline();
    }
  };
  std::thread steady(look, false);
  std::thread sleeper(look, true);
  for (int i = 1; i <= kLast; ++i) pairs.publish(std::make_shared<const Pair>(i));
  steady.join();
  sleeper.join();
  EXPECT_EQ(pairs.reclaim(), 0U);
}

}  // namespace
}  // namespace meshdns
