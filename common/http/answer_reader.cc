#include "common/http/answer_reader.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace meshdns::http {
namespace {

constexpr std::size_t kFirstWords = 16;  // bytes that show what else it is

/// Whether the bytes begin as a status line does, as far as they have come.
bool begins_like_http(std::string_view bytes) {
  constexpr std::string_view kStart = "http/";
  const std::size_t count = std::min(bytes.size(), kStart.size());
  return ascii_lower(bytes.substr(0, count)) == kStart.substr(0, count);
}

std::string first_words(std::string_view data) {
  std::string out;
  for (const char c : data.substr(0, kFirstWords)) out += c >= ' ' && c < 127 ? c : '.';
  return "it begins with \"" + out + "\"";
}

}  // namespace

AnswerReader::State AnswerReader::take(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  if (state_ == State::Head) {
    data_.append(bytes);
    take_heads();
  } else if (state_ == State::Body) {
    take_body(bytes);
  } else {
    excess_ = excess_ || !bytes.empty();
  }
  return state_;
}

AnswerReader::State AnswerReader::end() {
  if (state_ == State::Head) {
    const std::string_view line = std::string_view(data_).substr(line_at_);
    if (!begun_) {
      fail("the connection was closed without one");
    } else {
      fail(in_head_ || begins_like_http(line) ? "it ends in its headers" : first_words(line));
    }
  } else if (state_ == State::Body && body_->at_end() == BodyReader::State::Complete) {
    state_ = State::Complete;
    excess_ = true;  // nothing else comes on this connection
  } else if (state_ == State::Body) {
    fail("it ends before its body does");
  }
  torn_ = state_ == State::Wrong;
  return state_;
}

const std::string& AnswerReader::body() const {
  static const std::string nothing;
  return body_ ? body_->body() : nothing;
}

/// Reads the heads that have come, up to the one of the answer.
void AnswerReader::take_heads() {
  while (state_ == State::Head) {
    const auto size = head_end();
    if (state_ == State::Wrong) return;
    if (size.value_or(data_.size()) > kMaxHead) {
      fail("its headers are longer than 64 KiB");
      return;
    }
    if (!size) return;
    take_head(*size);
  }
}

/// Takes the whole head at the beginning of what has come.
void AnswerReader::take_head(std::size_t size) {
  auto found = read_head(std::string_view(data_).substr(0, size));
  data_.erase(0, size);
  line_at_ = searched_ = 0;
  in_head_ = false;
  if (found->is_interim()) {
    if (++interim_ == kMostInterim) fail("it consists of interim answers");
    return;
  }
  head_ = std::move(found);
  body_.emplace(*head_, head_only_, kMaxBody);
  state_ = State::Body;
  take_body(std::exchange(data_, {}));
}

/// Looks for the empty line that ends a head, from where the last call has stopped. Fails at once if the first line is
/// of another protocol, whose peer may wait for us in silence.
/// returns: the size of the head; nothing = it has not ended, or is none
std::optional<std::size_t> AnswerReader::head_end() {
  while (data_.find('\n', std::max(line_at_, searched_)) != std::string::npos) {
    const auto line = *next_line(data_, line_at_);
    if (line.empty() && in_head_) return line_at_;
    if (line.empty()) continue;
    if (!in_head_ && status_of(line) == 0) {
      fail(first_words(line));
      return std::nullopt;
    }
    in_head_ = true;
  }
  searched_ = data_.size();
  const auto line = std::string_view(data_).substr(line_at_);
  if (!in_head_ && line.size() >= kFirstWords && !begins_like_http(line)) fail(first_words(line));
  return std::nullopt;
}

void AnswerReader::take_body(std::string_view bytes) {
  excess_ = body_->take(bytes) < bytes.size();
  switch (body_->state()) {
    case BodyReader::State::NeedsMore: return;
    case BodyReader::State::Complete: state_ = State::Complete; return;
    case BodyReader::State::Wrong: fail("its body is not framed as its headers say");
  }
}

void AnswerReader::fail(std::string_view why) {
  problem_ = "not an HTTP answer: ";
  problem_ += why;
  state_ = State::Wrong;
}

}  // namespace meshdns::http
