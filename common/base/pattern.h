#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.h"

namespace re2 {
class RE2;
}

namespace meshdns {

/// A regular expression in RE2's syntax. A search takes time in proportion to the text and bounded memory, whatever
/// text a peer sends; engines that try one way after the other, as std::regex does, take exponential time or all of the
/// stack. Bytes are matched, not characters, so that a text that is not UTF-8 can be searched too.
/// source: https://github.com/google/re2/wiki/Syntax
class Pattern {
 public:
  /// errors: InvalidArgument: what is wrong and where: "missing ]: [a-"; ResourceExhausted: it needs too much memory
  static Result<Pattern> compile(const std::string& text);

  /// Whether any part of the text matches.
  /// thread: any
  bool is_in(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace meshdns
