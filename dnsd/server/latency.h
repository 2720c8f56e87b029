#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/time/time.h"
#include "dnsd/query/counters.h"

namespace meshdns::server {

/// Upper bounds of the buckets. The last bucket has none.
inline constexpr std::array<Duration, 11> kLatencyBounds = {10us, 25us,   50us, 100us, 250us, 500us,
                                                            1ms,  2500us, 5ms,  10ms,  100ms};
inline constexpr std::size_t kLatencyBuckets = kLatencyBounds.size() + 1;

/// The time that answers took, from reading a batch of queries until the kernel had all its answers. T is query::Count
/// in a worker, std::uint64_t in a sum.
template <class T>
struct BasicLatency {
  std::array<T, kLatencyBuckets> buckets{};  // answers by bucket, not cumulative
  T nanoseconds{};                           // of all answers together
};
using LatencyTotals = BasicLatency<std::uint64_t>;

/// The latency of one worker.
/// thread: add(): one; add_to(): any
class Latency {
 public:
  /// Counts answers that took this time each.
  void add(std::uint64_t answers, Duration took) noexcept {
    std::size_t bucket = 0;
    while (bucket < kLatencyBounds.size() && took > kLatencyBounds[bucket]) ++bucket;
    counts_.buckets[bucket].add(answers);
    counts_.nanoseconds.add(answers * static_cast<std::uint64_t>(took.count()));
  }
  /// Adds these figures to a sum.
  void add_to(LatencyTotals& sum) const noexcept {
    for (std::size_t i = 0; i < kLatencyBuckets; ++i) sum.buckets[i] += counts_.buckets[i].value();
    sum.nanoseconds += counts_.nanoseconds.value();
  }

 private:
  BasicLatency<query::Count> counts_;
};

}  // namespace meshdns::server
