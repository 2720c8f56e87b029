#pragma once

#include <cstdint>

namespace meshdns::catalog {

/// Returns whether serial `a` is newer than `b` on the circle of serials.
/// source: RFC 1982 3.2
inline bool is_newer_serial(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) > 0; }

}  // namespace meshdns::catalog
