#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meshdns {

/// Decodes base64 with its padding, without blanks or line ends.
/// returns: nothing = the text is no base64, or has bits that no byte has
/// source: RFC 4648 4
std::optional<std::string> from_base64(std::string_view text);

}  // namespace meshdns
