#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace meshdns::wire {

using SipKey = std::array<std::uint8_t, 16>;

/// SipHash-2-4: a short message's keyed hash that nobody can foretell without the key. Its bytes on the wire are the
/// number's in little-endian order.
/// source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012)
std::uint64_t siphash24(const SipKey& key, std::span<const std::uint8_t> data) noexcept;

}  // namespace meshdns::wire
