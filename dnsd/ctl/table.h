#pragma once

#include <string>
#include <vector>

namespace meshdns::ctl {

/// Columns for people: left aligned, two blanks between, no line wrapped, nothing behind the last cell of a row.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : rows_{std::move(titles)} {}

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }
  /// This column's cells end where it ends: numbers
  void align_right(std::size_t column) { right_.push_back(column); }
  std::string text() const;
  /// The rows without the titles, for a table that goes on: in these widths, a longer cell moves the rest of its row.
  std::string more_text(const std::vector<std::size_t>& widths) const;
  /// Of the columns, by titles and rows.
  std::vector<std::size_t> widths() const;
  /// Of the longest line.
  std::size_t width() const;

 private:
  std::string line(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) const;

  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> right_;
};

}  // namespace meshdns::ctl
