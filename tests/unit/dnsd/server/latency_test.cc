#include "dnsd/server/latency.h"

#include <gtest/gtest.h>

namespace meshdns::server {
namespace {

TEST(Latency, an_answer_is_in_the_bucket_whose_bound_it_does_not_pass) {
  Latency latency;
  latency.add(3, 10us);
  latency.add(1, 10us + 1ns);
  latency.add(2, 1s);
  LatencyTotals sum;
  latency.add_to(sum);
  latency.add_to(sum);  // of two workers
  EXPECT_EQ(sum.buckets[0], 6U);
  EXPECT_EQ(sum.buckets[1], 2U);
  EXPECT_EQ(sum.buckets[kLatencyBuckets - 1], 4U);
  EXPECT_EQ(sum.nanoseconds, 2U * (30000 + 10001 + 2000000000));
}

}  // namespace
}  // namespace meshdns::server
