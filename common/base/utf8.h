#pragma once

#include <cstddef>
#include <string_view>

namespace meshdns {

/// Returns the number of bytes of the UTF-8 character that `text` begins with; 0 = it begins with none.
/// source: RFC 3629 4
std::size_t utf8_length(std::string_view text);

/// Returns as much of the beginning of `text` as fits into so many bytes without a character that is cut in two.
std::string_view utf8_prefix(std::string_view text, std::size_t most);

}  // namespace meshdns
