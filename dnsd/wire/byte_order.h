#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace meshdns::wire {

/// Numbers in network byte order at any alignment. The caller has checked the bounds.
inline std::uint16_t load16(const std::uint8_t* at) noexcept {
  return static_cast<std::uint16_t>((at[0] << 8) | at[1]);
}

inline std::uint32_t load32(const std::uint8_t* at) noexcept {
  return (static_cast<std::uint32_t>(load16(at)) << 16) | load16(at + 2);
}

inline void store16(std::uint8_t* at, std::uint16_t value) noexcept {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

inline void store32(std::uint8_t* at, std::uint32_t value) noexcept {
  const std::uint32_t big = std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
  std::memcpy(at, &big, sizeof big);
}

}  // namespace meshdns::wire
