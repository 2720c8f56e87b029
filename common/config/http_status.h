#pragma once

#include <optional>
#include <string_view>
#include <utility>

namespace meshdns::config {

/// Reads status codes of HTTP as a check's `status` has them: "204" or "200-299", both ends included.
/// returns: nothing = it is neither, or a code is not between 100 and 599
std::optional<std::pair<int, int>> status_codes_of(std::string_view text);

}  // namespace meshdns::config
