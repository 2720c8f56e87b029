#include "common/base/stable_hash.h"

namespace meshdns {

std::uint64_t stable_hash(std::initializer_list<std::string_view> texts) {
  constexpr std::uint64_t kPrime = 0x100000001B3;
  constexpr std::uint64_t kSeparator = 0x100;  // not a byte value, so that ("ab", "c") and ("a", "bc") differ
  std::uint64_t x = 0xCBF29CE484222325;
  for (const std::string_view text : texts) {
    for (const char c : text) x = (x ^ static_cast<unsigned char>(c)) * kPrime;
    x = (x ^ kSeparator) * kPrime;
  }
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace meshdns
