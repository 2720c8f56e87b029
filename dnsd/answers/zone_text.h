#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meshdns::answers {

/// A record or a directive of a master file on one line, without comments, parentheses and the line breaks inside them.
struct ZoneEntry {
  std::size_t line = 0;  // number of its first line, from 1
  std::string text;
  std::string problem;  // why the entry cannot be read; empty = it can
};

/// Cuts a master file into entries. An entry that is wrong does not change how the next ones are read.
/// source: RFC 1035 5.1
class ZoneText {
 public:
  /// text: must outlive this
  explicit ZoneText(std::string_view text) : text_(text) {}

  /// Returns the next entry that is not blank in `out`.
  /// returns: false = there is none
  bool next(ZoneEntry& out);

 private:
  void read(ZoneEntry& out);
  void skip_comment();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace meshdns::answers
