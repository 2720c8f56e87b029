#pragma once

#include <algorithm>
#include <cstddef>

namespace meshdns::rpc {

/// Detects that a number has fallen to half of its maximum: a good moment to return memory to the system.
class Tide {
 public:
  static constexpr std::size_t kLeast = 256;  // smaller falls do not count

  /// Takes the number as it is now.
  /// returns: true = the number has fallen to half; the maximum starts anew from `now`
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
