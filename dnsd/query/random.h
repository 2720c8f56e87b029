#pragma once

#include <cstdint>

namespace meshdns::query {

/// A worker's own random numbers (xorshift64*): which endpoints, in which order. Not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed | 1) {}

  std::uint64_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1D;
  }
  /// 0 to bound - 1; bound > 0
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace meshdns::query
