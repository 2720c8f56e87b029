#include "dnsd/topology/slow_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::topology {
namespace {

using testing::ElementsAre;

constexpr TimePoint kNow{1h};

/// Endpoints that have served for so long; the window is 30 s.
HostPlan host_of(const std::vector<Duration>& ages) {
  HostPlan out;
  for (const Duration age : ages) {
    Candidate& candidate = out.candidates.emplace_back();
    candidate.since = kNow - age;
  }
  return out;
}

std::vector<int> starts(const HostPlan& host) {
  std::vector<int> out;
  for (const Candidate& candidate : host.candidates) out.push_back(candidate.start);
  return out;
}

TEST(SlowStart, goes_in_tenths_from_a_tenth_to_the_whole) {
  HostPlan host = host_of({1h, 0s, 2s, 3s, 12s, 29s, 30s});
  const auto next = set_slow_start(host, kNow);
  EXPECT_THAT(starts(host), ElementsAre(100, 10, 10, 10, 40, 90, 100));
  EXPECT_EQ(next, kNow + 1s) << "29 s become 30";
}

TEST(SlowStart, changes_nothing_before_the_time_that_it_tells) {
  HostPlan host = host_of({1h, 0s});
  TimePoint now = kNow;
  std::vector<int> seen;
  for (int rounds = 0; rounds < 20; ++rounds) {
    const auto next = set_slow_start(host, now);
    seen.push_back(host.candidates[1].start);
    if (!next) break;
    ASSERT_GT(*next, now);
    set_slow_start(host, *next - 1ns);
    ASSERT_EQ(host.candidates[1].start, seen.back());
    now = *next;
  }
  EXPECT_THAT(seen, ElementsAre(10, 20, 30, 40, 50, 60, 70, 80, 90, 100));
}

TEST(SlowStart, holds_nobody_back_where_all_are_as_new_or_it_is_off) {
  HostPlan together = host_of({3s, 3200ms, 3100ms});
  EXPECT_EQ(set_slow_start(together, kNow), std::nullopt);
  EXPECT_THAT(starts(together), ElementsAre(100, 100, 100));
  HostPlan alone = host_of({1s});
  EXPECT_EQ(set_slow_start(alone, kNow), std::nullopt);
  EXPECT_THAT(starts(alone), ElementsAre(100));
  HostPlan off = host_of({1h, 1s});
  off.policy.slow_start = 0s;
  EXPECT_EQ(set_slow_start(off, kNow), std::nullopt);
  EXPECT_THAT(starts(off), ElementsAre(100, 100));
}

TEST(SlowStart, looks_at_nobody_who_does_not_serve) {
  HostPlan host = host_of({1h, 1s, 2s});
  host.candidates[0].standing = Standing::Failing;
  host.candidates[2].standing = Standing::Draining;
  EXPECT_EQ(set_slow_start(host, kNow), std::nullopt);
  EXPECT_THAT(starts(host), ElementsAre(100, 100, 100));
}

}  // namespace
}  // namespace meshdns::topology
