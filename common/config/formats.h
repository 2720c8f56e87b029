#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "meshdns/config/v1/rules.pb.h"

namespace meshdns::config {

/// Checks a text by Rules.format; `rules` also has the bounds of formats that contain numbers.
/// returns: what is wrong; nothing = the text is valid
std::optional<std::string> wrong_format(const v1::Rules& rules, std::string_view text);

/// Returns the allowed numbers for an error message: "1-65535", "at least 1", "a number".
std::string range_text(const v1::Rules& rules);
bool in_range(const v1::Rules& rules, std::int64_t value);

}  // namespace meshdns::config
