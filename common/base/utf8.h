#pragma once

#include <cstddef>
#include <string_view>

namespace meshdns {

/// Returns the number of bytes of the UTF-8 character that `text` begins with; 0 = `text` begins with no such
/// character.
/// source: RFC 3629 4
std::size_t utf8_length(std::string_view text);

/// Returns the longest beginning of `text` of at most `most` bytes that does not cut a character in two.
std::string_view utf8_prefix(std::string_view text, std::size_t most);

}  // namespace meshdns
