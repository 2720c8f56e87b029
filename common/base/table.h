#pragma once

#include <string>
#include <vector>

namespace meshdns {

/// A table for people: columns aligned left with two blanks between them, no wrapped lines, no trailing blanks.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : rows_{std::move(titles)} {}

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }
  /// Aligns a column to the right, for numbers.
  void align_right(std::size_t column) { right_.push_back(column); }
  std::string text() const;
  /// Returns the rows without the titles, for a table that continues with these widths. A longer cell moves the rest of
  /// its row.
  std::string more_text(const std::vector<std::size_t>& widths) const;
  /// Returns the widths of the columns, from titles and rows.
  std::vector<std::size_t> widths() const;
  /// Returns the length of the longest line.
  std::size_t width() const;

 private:
  std::string line(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) const;

  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> right_;
};

}  // namespace meshdns
