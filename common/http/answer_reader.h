#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/answer_head.h"
#include "common/http/body_reader.h"

namespace meshdns::http {

/// Reads one answer from the bytes of a connection, in whatever pieces they come. Lenient as long as the status is
/// clear.
///
/// How it works: take() collects lines until the empty line that ends a head. The head of an interim answer (1xx) is
/// dropped, and the next one is read; the bytes after the final head go to a BodyReader. Each byte is looked at once.
/// Heads have at most 64 KiB each, so that the memory of an answer is bounded.
class AnswerReader {
 public:
  static constexpr std::size_t kMaxHead = 64 * 1024;
  static constexpr std::size_t kMaxBody = 64 * 1024;  // bytes of the body that are kept
  static constexpr std::size_t kMostInterim = 100;    // 1xx answers before the answer

  /// Head: the status has not come yet. Body: the head is there, the body is not complete. Complete: the answer has
  /// ended. Wrong: see problem().
  enum class State { Head, Body, Complete, Wrong };

  /// head_only: this is the answer to a HEAD request
  explicit AnswerReader(bool head_only) : head_only_(head_only) {}

  /// Takes the next bytes of the connection.
  State take(std::string_view bytes);
  /// The peer has closed the connection: no more bytes come.
  State end();

  State state() const { return state_; }
  /// requires: the head is there, in state Body, Complete, or Wrong because of the body
  const AnswerHead& head() const { return *head_; }
  bool has_head() const { return head_.has_value(); }
  /// The first kMaxBody bytes of the body, without the framing of chunks.
  const std::string& body() const;
  /// Whether the body is longer than what is kept of it.
  bool is_cut() const { return body_ && body_->size() > kMaxBody; }
  /// Whether any byte has come.
  bool has_begun() const { return begun_; }
  /// Whether the connection may take another request: the answer is complete, nothing came after it, and the server
  /// keeps the connection.
  bool leaves_connection_open() const { return state_ == State::Complete && !excess_ && head_->is_persistent(); }
  /// Whether the connection was closed before the answer was complete.
  bool is_torn() const { return torn_; }
  /// Why this is no answer, in state Wrong: "not an HTTP answer: it begins with "SSH-2.0-OpenSSH_"".
  const std::string& problem() const { return problem_; }

 private:
  void take_heads();
  void take_head(std::size_t size);
  std::optional<std::size_t> head_end();
  void take_body(std::string_view bytes);
  void fail(std::string_view why);

  bool head_only_;
  State state_ = State::Head;
  std::string data_;          // of the head that comes
  std::size_t line_at_ = 0;   // in data_: the beginning of the line that comes
  std::size_t searched_ = 0;  // in data_: no line ends between line_at_ and this
  bool in_head_ = false;      // the status line has come
  bool begun_ = false;
  bool excess_ = false;  // bytes came after the answer, or its end
  bool torn_ = false;
  std::size_t interim_ = 0;
  std::optional<AnswerHead> head_;
  std::optional<BodyReader> body_;
  std::string problem_;
};

}  // namespace meshdns::http
