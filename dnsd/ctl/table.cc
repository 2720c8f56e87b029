#include "dnsd/ctl/table.h"

#include <algorithm>
#include <numeric>

namespace meshdns::ctl {

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

std::size_t Table::width() const {
  const auto widths = this->widths();
  return std::accumulate(widths.begin(), widths.end(), 2 * (widths.size() - 1));
}

std::string Table::text() const {
  const auto widths = this->widths();
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      const bool right = &row != &rows_.front() && std::ranges::find(right_, i) != right_.end();
      line += right ? padding + row[i] : row[i] + padding;
      if (i + 1 < row.size()) line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace meshdns::ctl
