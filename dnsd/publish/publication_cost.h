#pragma once

#include <algorithm>
#include <cstddef>

#include "common/time/time.h"

namespace meshdns::publish {

/// Estimates the cost of planning and compiling a host from the measured cost of past publications. The cost of a host
/// is assumed to be proportional to its weight. Pure.
class PublicationCost {
 public:
  /// Returns the weight of a host with this number of endpoints and of answer sets (views).
  static double weight(std::size_t endpoints, std::size_t views) {
    // the constants are the fixed costs: of a decision without endpoints, and of a host without views
    return static_cast<double>(endpoints + 8) * static_cast<double>(views + 1);
  }

  /// Returns the estimated cost of a host of this weight.
  Duration of(double host_weight) const {
    return Duration(std::max<std::int64_t>(1, static_cast<std::int64_t>(host_weight * per_weight_)));
  }
  /// Learns that hosts whose weights add up to `weight` took `cost`.
  void measured(double weight, Duration cost) {
    if (weight <= 0) return;
    // both sums fade, so that new publications count most; sums instead of ratios, so that large ones count more
    weight_ = weight_ * kFade + weight;
    cost_ = cost_ * kFade + static_cast<double>(cost.count());
    per_weight_ = std::max(cost_ / weight_, kLeast);
  }

 private:
  static constexpr double kFade = 0.8;
  static constexpr double kLeast = 1;      // nanoseconds
  static constexpr double kInitial = 200;  // nanoseconds; more than on any machine that was measured

  double weight_ = 0;             // faded sum
  double cost_ = 0;               // faded sum, nanoseconds
  double per_weight_ = kInitial;  // nanoseconds
};

}  // namespace meshdns::publish
