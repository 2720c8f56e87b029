#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meshdns {

/// Seconds since 1970 of "2026-11-27T18:00:00Z" (RFC 3339, UTC, whole seconds), from 1970 to 9999.
/// errors: InvalidArgument: it is no such text, or no such day or time
Result<std::int64_t> parse_time(std::string_view text);

/// What parse_time reads back.
std::string time_text(std::int64_t unix_seconds);

}  // namespace meshdns
