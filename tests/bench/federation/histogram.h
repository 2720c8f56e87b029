#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/time/time.h"

namespace meshdns::bench {

/// Durations from a microsecond up, in buckets that are at most 2 % wide.
class Histogram {
 public:
  void add(Duration value);
  void clear();
  std::uint64_t count() const { return count_; }
  /// The least duration that a share of the values does not exceed; 0 without values.
  Duration quantile(double share) const;
  /// {"n": 3, "p50": 1.5, "p90": 2.0, "p99": 2.0, "max": 2.1}, in milliseconds
  std::string json() const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  Duration longest_{};
};

}  // namespace meshdns::bench
