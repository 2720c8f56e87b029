#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::ctl {

/// Where text for people stands: lines end at `columns`; all but the first, whose beginning is the caller's, begin
/// behind `indent` blanks.
struct Margins {
  std::size_t indent = 0;
  std::size_t columns = 0;
};

/// Pieces with `separator` between, in as many lines as they need; a piece is never cut. The first one stands at
/// `indent`.
std::string flowed(const std::vector<std::string_view>& pieces, std::string_view separator, const Margins& margins);

}  // namespace meshdns::ctl
