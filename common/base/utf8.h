#pragma once

#include <cstddef>
#include <string_view>

namespace meshdns {

/// Returns the number of bytes of the UTF-8 character that `text` begins with; 0 = it begins with none.
/// source: RFC 3629 4
std::size_t utf8_length(std::string_view text);

}  // namespace meshdns
