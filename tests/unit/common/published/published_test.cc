#include "common/published/published.h"

#include <gtest/gtest.h>

#include <thread>

namespace meshdns {
namespace {

TEST(Published, a_reader_sees_the_newest_and_keeps_it_alive) {
  Published<int> published;
  Published<int>::Reader reader(published);
  EXPECT_EQ(reader.read(), nullptr);
  auto first = std::make_shared<const int>(1);
  std::weak_ptr<const int> watch = first;
  published.publish(std::move(first));
  EXPECT_EQ(*reader.read(), 1);
  published.publish(std::make_shared<const int>(2));
  EXPECT_FALSE(watch.expired());  // the reader has not looked yet
  EXPECT_EQ(*reader.read(), 2);
  EXPECT_TRUE(watch.expired());
}

// Guards the hand-over: under TSan a missing fence shows here.
TEST(Published, never_goes_back_under_concurrent_exchange) {
  Published<int> published(std::make_shared<const int>(0));
  constexpr int kLast = 20'000;
  std::thread writer([&] {
    for (int i = 1; i <= kLast; ++i) published.publish(std::make_shared<const int>(i));
  });
  Published<int>::Reader reader(published);
  int seen = 0;
  for (int i = 0; i < 50'000'000 && seen < kLast; ++i) {
    const int now = *reader.read();
    ASSERT_GE(now, seen);
    seen = now;
  }
  writer.join();
  EXPECT_EQ(*reader.read(), kLast);
}

}  // namespace
}  // namespace meshdns
