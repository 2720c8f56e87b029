#include "common/http/answer_head.h"

#include <algorithm>

#include "common/base/text.h"

namespace meshdns::http {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// Whether a list of words has the word.
bool has_word(std::string_view list, std::string_view word) {
  const auto words = split(list, ',');
  return std::any_of(words.begin(), words.end(), [&](std::string_view one) { return ascii_lower(trim(one)) == word; });
}

}  // namespace

std::optional<std::string_view> next_line(std::string_view data, std::size_t& at) {
  const auto end = data.find('\n', at);
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = without_cr(data.substr(at, end - at));
  at = end + 1;
  return line;
}

int status_of(std::string_view line) {
  if (!ascii_lower(line.substr(0, 5)).starts_with("http/")) return 0;
  const auto space = line.find(' ');
  if (space == std::string_view::npos || space < 6 || !is_digit(line[5])) return 0;
  const auto begin = line.find_first_not_of(' ', space);
  if (begin == std::string_view::npos) return 0;
  const std::string_view rest = line.substr(begin);
  const bool three = rest.size() >= 3 && std::all_of(rest.begin(), rest.begin() + 3, is_digit);
  const bool ends = rest.size() == 3 || (rest.size() > 3 && (rest[3] == ' ' || rest[3] == '\t'));
  if (!three || !ends || rest[0] == '0') return 0;
  return (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
}

std::string_view AnswerHead::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

bool AnswerHead::is_persistent() const {
  const std::string_view connection = header("connection");
  if (status == 101 || has_word(connection, "close")) return false;
  return version == "1.1" || (version == "1.0" && has_word(connection, "keep-alive"));
}

std::optional<AnswerHead> read_head(std::string_view head) {
  std::size_t at = 0;
  auto line = next_line(head, at);
  while (line && line->empty()) line = next_line(head, at);
  AnswerHead out;
  out.status = line ? status_of(*line) : 0;
  if (out.status == 0) return std::nullopt;
  out.version = line->substr(5, line->find(' ') - 5);
  while ((line = next_line(head, at)) && !line->empty()) {
    const auto colon = line->find(':');
    const bool folded = line->front() == ' ' || line->front() == '\t';  // RFC 9112 5.2: continues the line before
    if (colon == std::string_view::npos || folded) continue;
    out.headers[ascii_lower(trim(line->substr(0, colon)))] = std::string(trim(line->substr(colon + 1)));
  }
  return out;
}

}  // namespace meshdns::http
