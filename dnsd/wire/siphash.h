#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace meshdns::wire {

using SipKey = std::array<std::uint8_t, 16>;

/// Returns SipHash-2-4: a keyed hash of a short message that nobody can predict without the key. On the wire it is a
/// little-endian number.
/// source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012)
std::uint64_t siphash24(const SipKey& key, std::span<const std::uint8_t> data) noexcept;

}  // namespace meshdns::wire
