#include "common/base/table.h"

#include <algorithm>
#include <numeric>

namespace meshdns {

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

std::string Table::line(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) const {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string padding(row[i].size() < widths[i] ? widths[i] - row[i].size() : 0, ' ');
    const bool right = &row != &rows_.front() && std::ranges::find(right_, i) != right_.end();
    out += right ? padding + row[i] : row[i] + padding;
    if (i + 1 < row.size()) out += "  ";
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

std::string Table::text() const {
  const auto widths = this->widths();
  return line(rows_.front(), widths) + more_text(widths);
}

std::string Table::more_text(const std::vector<std::size_t>& widths) const {
  std::string out;
  for (std::size_t i = 1; i < rows_.size(); ++i) out += line(rows_[i], widths);
  return out;
}

}  // namespace meshdns
