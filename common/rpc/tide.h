#pragma once

#include <algorithm>
#include <cstddef>

namespace meshdns::rpc {

/// Tells when a number has fallen to half of what it was at most: then it is worth giving memory back.
class Tide {
 public:
  static constexpr std::size_t kLeast = 256;  // smaller falls are none

  /// True once for each fall.
  bool fell(std::size_t now) {
    most_ = std::max(most_, now);
    if (now > most_ / 2 || most_ - now < kLeast) return false;
    most_ = now;
    return true;
  }

 private:
  std::size_t most_ = 0;
};

}  // namespace meshdns::rpc
