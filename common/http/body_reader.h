#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/http/answer_head.h"

namespace meshdns::http {

/// Finds the end of an answer's body, and decodes chunks, while the bytes come. Keeps the first bytes of the body and
/// looks at each byte once, so that the sender decides about neither the memory nor the time that this needs.
/// source: RFC 9112 6.3
class BodyReader {
 public:
  enum class State { NeedsMore, Complete, Wrong };

  /// head_only: this is the answer to a HEAD request
  /// most:      bytes of the body that are kept
  BodyReader(const AnswerHead& head, bool head_only, std::size_t most);

  /// Takes the next bytes of the connection.
  /// returns: how many of them belong to the body; fewer than given only if the body ends before them or is wrong
  std::size_t take(std::string_view bytes);
  State state() const { return state_; }
  /// Returns whether the body is complete when the peer closes the connection.
  State at_end() const;
  /// The first bytes of the body as far as it has come, without the framing of chunks.
  const std::string& body() const { return body_; }
  /// The number of bytes of the body that have come, those included that are not kept.
  std::size_t size() const { return size_; }

 private:
  enum class Kind { Length, Chunked, UntilEnd };
  enum class Phase { Size, Data, AfterData, Trailer };  // of a chunked body: the part that comes next

  std::size_t take_data(std::string_view bytes);
  std::size_t take_line(std::string_view bytes);
  void on_line(std::string_view line);

  Kind kind_ = Kind::UntilEnd;
  Phase phase_ = Phase::Size;
  State state_ = State::NeedsMore;
  std::size_t most_;
  std::size_t left_ = 0;   // bytes that are missing: of the body, or of the chunk
  std::string line_;       // Chunked: the beginning of a line whose end has not come yet
  std::size_t lines_ = 0;  // Chunked: bytes of lines since the last data
  std::string body_;
  std::size_t size_ = 0;
};

}  // namespace meshdns::http
