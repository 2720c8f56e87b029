#include "common/http/answer_head.h"

#include <algorithm>
#include <charconv>

#include "common/base/text.h"

namespace meshdns::http {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// Returns the line that begins at `at`, and moves `at` after the line's end; nothing = the end has not come yet.
std::optional<std::string_view> next_line(std::string_view data, std::size_t& at) {
  const auto end = data.find('\n', at);
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = without_cr(data.substr(at, end - at));
  at = end + 1;
  return line;
}

/// Returns the status in "HTTP/1.1 200 OK", with or without the reason; 0 = this is not a status line.
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

/// Whether the last of the transfer codings is "chunked".
bool ends_with_chunked(std::string_view codings) {
  const auto comma = codings.rfind(',');
  return ascii_lower(trim(comma == std::string_view::npos ? codings : codings.substr(comma + 1))) == "chunked";
}

}  // namespace

std::string_view AnswerHead::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::size_t head_size(std::string_view data) {
  bool begun = false;
  for (std::size_t at = 0;;) {
    const auto line = next_line(data, at);
    if (!line) return 0;
    if (line->empty() && begun) return at;
    begun = begun || !line->empty();
  }
}

std::optional<AnswerHead> read_head(std::string_view head) {
  std::size_t at = 0;
  auto line = next_line(head, at);
  while (line && line->empty()) line = next_line(head, at);
  AnswerHead out;
  out.status = line ? status_of(*line) : 0;
  if (out.status == 0) return std::nullopt;
  while ((line = next_line(head, at)) && !line->empty()) {
    const auto colon = line->find(':');
    const bool folded = line->front() == ' ' || line->front() == '\t';  // RFC 9112 5.2: continues the line before
    if (colon == std::string_view::npos || folded) continue;
    out.headers[ascii_lower(trim(line->substr(0, colon)))] = std::string(trim(line->substr(colon + 1)));
  }
  return out;
}

BodyReader::BodyReader(const AnswerHead& head, bool head_only) {
  const bool never = head_only || head.status == 204 || head.status == 304 || head.status < 200;
  const std::string_view length = head.header("content-length");
  if (never) {
    kind_ = Kind::None;
  } else if (head.headers.contains("transfer-encoding")) {
    kind_ = ends_with_chunked(head.header("transfer-encoding")) ? Kind::Chunked : Kind::UntilEnd;
  } else if (!length.empty()) {
    kind_ = Kind::Length;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), length_);
    broken_ = error != std::errc() || end != length.data() + length.size();
  }
}

BodyReader::State BodyReader::look(std::string_view data) {
  if (broken_) return State::Wrong;
  if (kind_ == Kind::None) return State::Complete;
  if (kind_ == Kind::Chunked) return look_at_chunks(data);
  body_.assign(kind_ == Kind::Length ? data.substr(0, length_) : data);
  return kind_ == Kind::Length && body_.size() == length_ ? State::Complete : State::NeedsMore;
}

/// Reads chunks; skips chunk extensions and trailers.
/// source: RFC 9112 7.1
BodyReader::State BodyReader::look_at_chunks(std::string_view data) {
  for (;;) {
    std::size_t at = at_;
    const auto line = next_line(data, at);
    if (!line) return State::NeedsMore;
    const auto digits = trim(line->substr(0, line->find(';')));
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return State::Wrong;
    if (size == 0) break;
    const std::size_t there = data.size() - at;
    if (there < size) return State::NeedsMore;
    std::size_t behind = at + size;
    if (behind < data.size() && data[behind] == '\r') ++behind;
    if (behind >= data.size()) return State::NeedsMore;
    if (data[behind] != '\n') return State::Wrong;
    body_.append(data.substr(at, size));
    at_ = behind + 1;
  }
  std::size_t at = at_;
  next_line(data, at);
  for (auto line = next_line(data, at); line; line = next_line(data, at)) {
    if (line->empty()) return State::Complete;
  }
  return State::NeedsMore;
}

}  // namespace meshdns::http
