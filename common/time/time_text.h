#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meshdns {

/// Parses a time like "2026-11-27T18:00:00Z", in UTC and whole seconds, from 1970 to 9999.
/// returns: seconds since 1970
/// errors: InvalidArgument: another format, or no such day or time
/// source: RFC 3339
Result<std::int64_t> parse_time(std::string_view text);

/// Returns the text that parse_time() reads back.
std::string time_text(std::int64_t unix_seconds);

}  // namespace meshdns
