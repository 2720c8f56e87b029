#pragma once

#include <algorithm>
#include <cstddef>

#include "common/time/time.h"

namespace meshdns::publish {

/// Learns what it costs to plan and to compile a host, from what publications have cost. The cost of a host is taken to
/// be proportional to its weight. Pure.
class PublicationCost {
 public:
  /// The weight of a host with so many endpoints and answer sets.
  static double weight(std::size_t endpoints, std::size_t views) {
    // deciding for a client costs something even if there are few endpoints, and so does a host with one view
    return static_cast<double>(endpoints + 8) * static_cast<double>(views + 1);
  }

  Duration of(double host_weight) const {
    return Duration(std::max<std::int64_t>(1, static_cast<std::int64_t>(host_weight * per_weight_)));
  }
  /// Hosts of so much weight together have cost so much.
  void measured(double weight, Duration cost) {
    if (weight <= 0) return;
    // the sums fade, so that the newest publications count most, and large ones more than small ones
    weight_ = weight_ * kFade + weight;
    cost_ = cost_ * kFade + static_cast<double>(cost.count());
    per_weight_ = std::max(cost_ / weight_, kLeast);
  }

 private:
  static constexpr double kFade = 0.8;
  static constexpr double kLeast = 1;      // nanoseconds
  static constexpr double kInitial = 200;  // nanoseconds; more than on any machine that was measured

  double weight_ = 0;
  double cost_ = 0;
  double per_weight_ = kInitial;
};

}  // namespace meshdns::publish
