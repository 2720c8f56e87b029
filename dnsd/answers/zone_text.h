#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meshdns::answers {

/// A record or a directive of a master file, on one line: without comments, parentheses and what they enclosed broken.
struct ZoneEntry {
  std::size_t line = 0;  // where it begins, from 1
  std::string text;
  std::string problem;  // why it cannot be read; empty = it can
};

/// Cuts a master file into its entries; what is wrong with one leaves the next ones as they are.
/// source: RFC 1035 5.1
class ZoneText {
 public:
  /// text: outlives this
  explicit ZoneText(std::string_view text) : text_(text) {}

  /// The next entry that is not blank; false = there is none.
  bool next(ZoneEntry& out);

 private:
  void read(ZoneEntry& out);
  void skip_comment();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace meshdns::answers
