#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "meshdns/config/v1/rules.pb.h"

namespace meshdns::config {

/// What is wrong with a text by its format; `rules` has the bounds of those formats that are numbers too.
std::optional<std::string> wrong_format(const v1::Rules& rules, std::string_view text);

/// "1-65535", "at least 1", "a number"
std::string range_text(const v1::Rules& rules);
bool in_range(const v1::Rules& rules, std::int64_t value);

}  // namespace meshdns::config
