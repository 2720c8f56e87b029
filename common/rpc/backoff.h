#pragma once

#include <algorithm>
#include <random>

#include "common/time/time.h"

namespace meshdns::rpc {

/// Gives the delays between attempts: 100 ms, doubling up to 5 s. Each delay is drawn at random from its upper half, so
/// that the agents of a fleet do not connect at the same moment.
class Backoff {
 public:
  static constexpr Duration kShortest = 100ms;
  static constexpr Duration kLongest = 5s;

  explicit Backoff(std::uint64_t seed) : random_(static_cast<std::uint32_t>(seed)) {}

  Duration next() {
    const Duration whole = step_;
    step_ = std::min<Duration>(step_ * 2, kLongest);
    return whole / 2 + Duration(std::uniform_int_distribution<std::int64_t>(0, (whole / 2).count())(random_));
  }
  void succeeded() { step_ = kShortest; }

 private:
  std::minstd_rand random_;
  Duration step_ = kShortest;
};

}  // namespace meshdns::rpc
