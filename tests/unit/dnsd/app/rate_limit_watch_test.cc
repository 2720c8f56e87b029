#include "dnsd/app/rate_limit_watch.h"

#include <gtest/gtest.h>

namespace meshdns::dnsd::app {
namespace {

using Edge = RateLimitWatch::Edge;

TEST(RateLimitWatch, tells_both_edges_once) {
  RateLimitWatch watch;
  TimePoint now{1h};
  EXPECT_EQ(watch.look(0, now), Edge::None);
  EXPECT_FALSE(watch.limiting());
  EXPECT_EQ(watch.look(7, now += 1s), Edge::Began);
  EXPECT_EQ(watch.look(9, now += 1s), Edge::None);
  EXPECT_TRUE(watch.limiting());
  EXPECT_EQ(watch.look(9, now += 59s), Edge::None);
  EXPECT_EQ(watch.look(9, now += 1s), Edge::Ended);
  EXPECT_FALSE(watch.limiting());
  EXPECT_EQ(watch.look(9, now += 1h), Edge::None);
  EXPECT_EQ(watch.look(10, now), Edge::Began);
}

}  // namespace
}  // namespace meshdns::dnsd::app
