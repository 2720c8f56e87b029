#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace meshdns::wire {

/// Load and store numbers in network byte order at any alignment.
/// requires: the caller has checked the bounds
inline std::uint16_t load16(const std::uint8_t* at) noexcept {
  std::uint16_t big = 0;
  std::memcpy(&big, at, sizeof big);
  return std::endian::native == std::endian::little ? __builtin_bswap16(big) : big;
}

inline std::uint32_t load32(const std::uint8_t* at) noexcept {
  std::uint32_t big = 0;
  std::memcpy(&big, at, sizeof big);
  return std::endian::native == std::endian::little ? __builtin_bswap32(big) : big;
}

inline std::uint64_t load64(const std::uint8_t* at) noexcept {
  std::uint64_t big = 0;
  std::memcpy(&big, at, sizeof big);
  return std::endian::native == std::endian::little ? __builtin_bswap64(big) : big;
}

inline void store16(std::uint8_t* at, std::uint16_t value) noexcept {
  const std::uint16_t big = std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
  std::memcpy(at, &big, sizeof big);
}

inline void store32(std::uint8_t* at, std::uint32_t value) noexcept {
  const std::uint32_t big = std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
  std::memcpy(at, &big, sizeof big);
}

inline void store64(std::uint8_t* at, std::uint64_t value) noexcept {
  const std::uint64_t big = std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
  std::memcpy(at, &big, sizeof big);
}

}  // namespace meshdns::wire
