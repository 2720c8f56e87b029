#include "common/rpc/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace meshdns::rpc {
namespace {

TEST(Backoff, doubles_to_the_longest_and_draws_from_the_upper_half) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Backoff backoff(seed);
    Duration whole = Backoff::kShortest;
    for (int attempt = 0; attempt < 10; ++attempt) {
      const Duration delay = backoff.next();
      EXPECT_GE(delay, whole / 2);
      EXPECT_LE(delay, whole);
      whole = std::min<Duration>(whole * 2, Backoff::kLongest);
    }
    EXPECT_EQ(whole, Backoff::kLongest);
  }
}

TEST(Backoff, begins_anew_after_success) {
  Backoff backoff(1);
  for (int attempt = 0; attempt < 10; ++attempt) backoff.next();
  backoff.succeeded();
  EXPECT_LE(backoff.next(), Backoff::kShortest);
}

// Guards a fleet that lost its federation: it must not come back as one.
TEST(Backoff, spreads_by_seed) {
  std::set<Duration> delays;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Backoff backoff(seed);
    for (int attempt = 0; attempt < 6; ++attempt) backoff.next();
    delays.insert(backoff.next());
  }
  EXPECT_GT(delays.size(), 90U);
  EXPECT_GT(*delays.rbegin() - *delays.begin(), 1s);
}

}  // namespace
}  // namespace meshdns::rpc
