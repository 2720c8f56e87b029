#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meshdns {

/// Decodes pairs of hexadecimal digits of either case. Spaces may stand between two pairs: "de ad BEEF".
/// returns: nothing = another character, or half a pair
std::optional<std::string> from_hex(std::string_view text);

}  // namespace meshdns
