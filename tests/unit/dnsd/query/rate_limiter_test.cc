#include "dnsd/query/rate_limiter.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/mesh/small_mesh.h"

namespace meshdns::query {
namespace {

using test::must;

std::uint64_t key(const char* address) { return prefix_key(must(IpAddress::parse(address))); }

class RateLimiterTest : public testing::Test {
 protected:
  /// How many of so many at once pass
  int passed(const char* client, int asked) {
    int out = 0;
    for (int i = 0; i < asked; ++i) out += limiter.admit(key(client), now, limit) ? 1 : 0;
    return out;
  }

  RateLimit limit{.per_second = 50, .burst = 125, .slip = 1, .exempt = {}};
  RateLimiter limiter{7};
  TimePoint now{1h};
};

TEST_F(RateLimiterTest, ABurstThenSoManyASecond) {
  EXPECT_EQ(passed("198.51.100.1", 500), 125);
  now += 20ms;
  EXPECT_EQ(passed("198.51.100.1", 500), 1);
  now += 1s;
  EXPECT_EQ(passed("198.51.100.1", 500), 50);
  now += 1h;
  EXPECT_EQ(passed("198.51.100.1", 500), 125) << "no more than a burst is saved up";
}

TEST_F(RateLimiterTest, APrefixSharesOneBucket) {
  EXPECT_EQ(passed("198.51.100.1", 100), 100);
  EXPECT_EQ(passed("198.51.100.255", 100), 25);
  EXPECT_EQ(passed("198.51.101.1", 100), 100) << "the next /24";
  EXPECT_EQ(passed("2001:db8:0:ff00::1", 125), 125);
  EXPECT_EQ(passed("2001:db8:0:ffff::1", 1), 0);
  EXPECT_EQ(passed("2001:db8:0:fe00::1", 1), 1) << "the next /56";
}

TEST_F(RateLimiterTest, KeysAndTheirTexts) {
  EXPECT_EQ(prefix_text(key("198.51.100.77")), "198.51.100.0/24");
  EXPECT_EQ(prefix_text(key("0.0.0.1")), "0.0.0.0/24");
  EXPECT_EQ(prefix_text(key("2001:db8:0:ff12::1")), "2001:db8:0:ff00::/56");
  EXPECT_EQ(limiter.last_limited(), 0U);
  passed("198.51.100.1", 126);
  EXPECT_EQ(prefix_text(limiter.last_limited()), "198.51.100.0/24");
}

// A million forged prefixes cost the one that floods nothing of what it has used up.
TEST_F(RateLimiterTest, ManyPrefixesDoNotFreeTheBusiest) {
  EXPECT_EQ(passed("198.51.100.1", 200), 125);
  for (std::uint32_t i = 0; i < 1'000'000; ++i) limiter.admit(prefix_key(IpAddress::v4(i << 8)), now, limit);
  EXPECT_EQ(passed("198.51.100.1", 200), 0);
}

TEST_F(RateLimiterTest, ThreadsShareTheBuckets) {
  std::atomic<int> total{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { total += passed("198.51.100.1", 10000); });
  for (auto& thread : threads) thread.join();
  EXPECT_GE(total, 125);
  EXPECT_LE(total, 20 * 125)
      << "of 30,000: a race that is lost may go uncounted, and one of a thread that was put to sleep";
}

}  // namespace
}  // namespace meshdns::query
