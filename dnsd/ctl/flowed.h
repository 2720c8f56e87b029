#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::ctl {

/// The margins of text: lines end at `columns`. All lines except the first, whose beginning the caller writes, begin
/// with `indent` blanks.
struct Margins {
  std::size_t indent = 0;
  std::size_t columns = 0;
};

/// Returns pieces with `separator` between them, in as many lines as necessary. A piece is never cut. The first piece
/// is at column `indent`.
std::string flowed(const std::vector<std::string_view>& pieces, std::string_view separator, const Margins& margins);

}  // namespace meshdns::ctl
