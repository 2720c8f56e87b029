#include "common/http/body_reader.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "common/base/text.h"

namespace meshdns::http {
namespace {

constexpr std::size_t kMaxLines = 64 * 1024;  // bytes of a chunk's extensions, or of all trailers

/// Whether the last of the transfer codings is "chunked".
bool ends_with_chunked(std::string_view codings) {
  const auto comma = codings.rfind(',');
  return ascii_lower(trim(comma == std::string_view::npos ? codings : codings.substr(comma + 1))) == "chunked";
}

/// Reads a whole text as a number without sign.
bool read_number(std::string_view text, int base, std::size_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

BodyReader::BodyReader(const AnswerHead& head, bool head_only, std::size_t most) : most_(most) {
  const std::string_view length = head.header("content-length");
  if (head_only || head.status == 204 || head.status == 304 || head.status < 200) {
    state_ = State::Complete;
  } else if (head.headers.contains("transfer-encoding")) {
    kind_ = ends_with_chunked(head.header("transfer-encoding")) ? Kind::Chunked : Kind::UntilEnd;
  } else if (!length.empty()) {
    kind_ = Kind::Length;
    if (!read_number(length, 10, left_)) {
      state_ = State::Wrong;
    } else if (left_ == 0) {
      state_ = State::Complete;
    }
  }
}

BodyReader::State BodyReader::at_end() const {
  if (state_ == State::NeedsMore) return kind_ == Kind::UntilEnd ? State::Complete : State::Wrong;
  return state_;
}

std::size_t BodyReader::take(std::string_view bytes) {
  std::size_t taken = 0;
  while (state_ == State::NeedsMore && taken < bytes.size()) {
    const auto rest = bytes.substr(taken);
    const bool is_line = kind_ == Kind::Chunked && phase_ != Phase::Data;
    taken += is_line ? take_line(rest) : take_data(rest);
  }
  return taken;
}

std::size_t BodyReader::take_data(std::string_view bytes) {
  const std::size_t count = kind_ == Kind::UntilEnd ? bytes.size() : std::min(left_, bytes.size());
  body_.append(bytes.substr(0, std::min(count, most_ - body_.size())));
  size_ += count;
  if (kind_ == Kind::UntilEnd) return count;
  left_ -= count;
  if (left_ > 0) return count;
  if (kind_ == Kind::Length) {
    state_ = State::Complete;
  } else {
    phase_ = Phase::AfterData;
    lines_ = 0;
  }
  return count;
}

/// Takes the bytes up to the end of the line, or all.
std::size_t BodyReader::take_line(std::string_view bytes) {
  const auto end = bytes.find('\n');
  const std::size_t count = end == std::string_view::npos ? bytes.size() : end + 1;
  line_.append(bytes.substr(0, count));
  lines_ += count;
  if (lines_ > kMaxLines) {
    state_ = State::Wrong;
  } else if (end != std::string_view::npos) {
    std::size_t at = 0;
    on_line(*next_line(line_, at));
    line_.clear();
  }
  return count;
}

/// Reads the size of a chunk, or skips what is not data: the end of a chunk's line, and trailers.
/// source: RFC 9112 7.1
void BodyReader::on_line(std::string_view line) {
  if (phase_ == Phase::Size) {
    const bool good = read_number(trim(line.substr(0, line.find(';'))), 16, left_);
    if (!good) state_ = State::Wrong;
    phase_ = left_ == 0 ? Phase::Trailer : Phase::Data;
  } else if (phase_ == Phase::AfterData) {
    if (!line.empty()) state_ = State::Wrong;
    phase_ = Phase::Size;
  } else if (line.empty()) {
    state_ = State::Complete;
  }
}

}  // namespace meshdns::http
