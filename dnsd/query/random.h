#pragma once

#include <cstdint>

namespace meshdns::query {

/// Mixes two numbers (the finalizer of SplitMix64), for choices that must be the same on every server.
inline std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t x = a + 0x9E3779B97F4A7C15 * (b + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// The random numbers of one worker (wyrand: an addition and one multiplication), for the choice and order of
/// endpoints. Not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// Returns a random number of 64 bits.
  std::uint64_t next() noexcept {
    state_ += 0xA0761D6478BD642F;
    const auto product = static_cast<Wide>(state_) * (state_ ^ 0xE7037ED1A0B428DB);
    return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
  }
  /// Returns a random number from 0 to bound - 1.
  /// requires: bound > 0
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  friend class Draws;
  __extension__ typedef unsigned __int128 Wide;
  std::uint64_t state_;
};

/// Draws four small random numbers from each number of the generator: a draw is the upper half of a product, and the
/// next draw uses the lower half. With bounds of at most 256, the probabilities differ by less than 2^-32.
class Draws {
 public:
  explicit Draws(Random& random) : random_(random) {}

  /// Returns a random number from 0 to bound - 1.
  /// bound: 1 to 256
  std::uint32_t below(std::uint32_t bound) noexcept {
    if (left_ == 0) {
      word_ = random_.next();
      left_ = 4;
    }
    --left_;
    const auto product = static_cast<Random::Wide>(word_) * bound;
    word_ = static_cast<std::uint64_t>(product);
    return static_cast<std::uint32_t>(product >> 64);
  }

 private:
  Random& random_;
  std::uint64_t word_ = 0;
  unsigned left_ = 0;
};

}  // namespace meshdns::query
