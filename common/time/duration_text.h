#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/time/time.h"

namespace meshdns {

/// Parses "500ms", "5s", "1m30s", "4h12m", "2d": units ns us ms s m h d, largest first; a bare "0" is allowed.
Result<Duration> parse_duration(std::string_view text);

/// Returns the shortest exact text that parse_duration() reads back: "1m30s", "500ms", "0s".
std::string duration_text(Duration duration);

/// Returns a rounded text for people: the two largest units, rounded down ("4h12m", "12s", "3h"); below 10 s with
/// tenths
/// ("0.8s").
std::string age_text(Duration age);

}  // namespace meshdns
