#pragma once

#include <cstdint>
#include <string_view>

namespace meshdns {

/// Returns the XXH3 hash of bytes: fast, and of 64 good bits, so that tables need no hash of their own. A sequence of
/// values is hashed by giving the hash of each as the seed of the next.
/// seed: 0 = the plain hash
std::uint64_t xxh3(std::string_view bytes, std::uint64_t seed = 0);
/// Like xxh3(), for a number. Differs between machines of different byte order.
std::uint64_t xxh3_of(std::uint64_t number, std::uint64_t seed);

}  // namespace meshdns
