#include "dnsd/query/spread.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dnsd/wire/name.h"

namespace meshdns::query {
namespace {

/// A good hash of two numbers (the finalizer of SplitMix64).
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t x = a + 0x9E3779B97F4A7C15 * (b + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// The first `length` bits of an address, and how many they are.
std::uint64_t prefix_hash(const std::uint8_t* address, std::size_t size, std::size_t length) noexcept {
  std::array<std::uint8_t, 16> masked{};
  length = std::min(length, 8 * size);
  std::copy_n(address, (length + 7) / 8, masked.begin());
  if (length % 8 != 0) masked[length / 8] &= static_cast<std::uint8_t>(0xFF00U >> (length % 8));
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), masked.data(), sizeof words);
  return mixed(mixed(words[0], words[1]), 256 * size + length);
}

std::uint64_t located_prefix(const DrawSeat& seat) noexcept {
  const bool by_subnet = seat.located.subnet_trusted && seat.subnet.source > 0;
  if (by_subnet) return prefix_hash(seat.subnet.address.data(), seat.subnet.family == 1 ? 4 : 16, seat.located.scope);
  const auto bytes = seat.client.bytes();
  return prefix_hash(bytes.data(), bytes.size(), seat.located.length);
}

}  // namespace

Drawn drawn(std::uint64_t name, std::uint32_t ttl, const DrawSeat& seat) noexcept {
  const std::uint64_t who = mixed(name, located_prefix(seat));
  const std::uint64_t length = std::max(1U, ttl);
  const std::uint64_t phased = seat.unix_seconds + who % length;
  const auto hit = static_cast<std::uint32_t>(((mixed(who, phased / length) >> 32) * 100) >> 32);
  return {hit, length - phased % length};
}

std::size_t drawn_tier(const answers::Host& host, const answers::Set& set, const DrawSeat& seat) noexcept {
  const std::uint32_t hit = drawn(wire::hash_name(host.name()), host.ttl, seat).percent;
  const auto loads = host.loads(set);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    sum += loads[i].load;
    if (hit < sum) return i;
  }
  return 0;
}

}  // namespace meshdns::query
