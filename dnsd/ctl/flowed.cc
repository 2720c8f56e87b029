#include "dnsd/ctl/flowed.h"

namespace meshdns::ctl {

std::string flowed(const std::vector<std::string_view>& pieces, std::string_view separator, const Margins& margins) {
  std::string out;
  std::size_t at = margins.indent;
  bool first = true;
  for (const std::string_view piece : pieces) {
    if (!first && at + separator.size() + piece.size() > margins.columns) {
      out += "\n" + std::string(margins.indent, ' ');
      at = margins.indent;
    } else if (!first) {
      out += separator;
      at += separator.size();
    }
    out += piece;
    at += piece.size();
    first = false;
  }
  return out;
}

}  // namespace meshdns::ctl
