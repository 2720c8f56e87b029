#include "common/base/xxh3.h"

#include <xxhash.h>

namespace meshdns {

std::uint64_t xxh3(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint64_t xxh3_of(std::uint64_t number, std::uint64_t seed) {
  return XXH3_64bits_withSeed(&number, sizeof(number), seed);
}

}  // namespace meshdns
