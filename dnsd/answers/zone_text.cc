#include "dnsd/answers/zone_text.h"

#include "common/base/text.h"

namespace meshdns::answers {

bool ZoneText::next(ZoneEntry& out) {
  while (at_ < text_.size()) {
    out.line = line_;
    out.text.clear();
    out.problem.clear();
    read(out);
    if (!out.problem.empty() || !trim(out.text).empty()) return true;
  }
  return false;
}

void ZoneText::read(ZoneEntry& out) {
  bool quoted = false;
  int open = 0;  // parentheses that are open
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '\n') {
      ++line_;
      if (quoted) out.problem = "a quote is not closed on its line";
      if (quoted || open == 0) return;
      out.text += ' ';
    } else if (c == '\\' && at_ < text_.size() && text_[at_] != '\n') {
      out.text += c;
      out.text += text_[at_++];
    } else if (c == '"') {
      quoted = !quoted;
      out.text += c;
    } else if (c == '\0') {
      out.problem = "a zero byte";  // ldns would not see the rest of the line
    } else if (quoted) {
      out.text += c;
    } else if (c == ';') {
      skip_comment();
    } else if (c == '(' || c == ')') {
      open += c == '(' ? 1 : -1;
      if (open < 0) out.problem = "a parenthesis closes what none has opened";
      if (open < 0) open = 0;
      out.text += ' ';
    } else {
      out.text += c == '\r' ? ' ' : c;
    }
  }
  if (quoted) out.problem = "a quote is not closed on its line";
  if (open > 0) out.problem = "a parenthesis is not closed";
}

void ZoneText::skip_comment() {
  const std::size_t end = text_.find('\n', at_);
  at_ = end == std::string_view::npos ? text_.size() : end;
}

}  // namespace meshdns::answers
