#include "dnsd/ctl/diff.h"

#include <vector>

#include "common/base/text.h"

namespace meshdns::ctl {
namespace {

using Lines = std::vector<std::string_view>;

Lines lines_of(const std::string& text) {
  if (text.empty()) return {};
  Lines lines = split(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

/// Returns a table: length[i][j] is the number of common lines of a[i...] and b[j...], in order.
std::vector<std::vector<std::size_t>> common_lengths(const Lines& a, const Lines& b) {
  std::vector<std::vector<std::size_t>> length(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      length[i][j] = a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
    }
  }
  return length;
}

}  // namespace

std::string line_diff(const std::string& before, const std::string& after) {
  const Lines a = lines_of(before);
  const Lines b = lines_of(after);
  const auto length = common_lengths(a, b);
  std::string out;
  const auto add = [&](const char* mark, std::string_view line) { out.append(mark).append(line).append("\n"); };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      add("  ", a[i++]);
      ++j;
    } else if (j == b.size() || (i < a.size() && length[i + 1][j] >= length[i][j + 1])) {
      add("- ", a[i++]);
    } else {
      add("+ ", b[j++]);
    }
  }
  return out;
}

}  // namespace meshdns::ctl
