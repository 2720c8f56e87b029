#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace meshdns::http {

/// The status line and the headers of an answer.
struct AnswerHead {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of a name counts

  /// Whether the answer proper follows (RFC 9110 15.2). 101 is not interim here: nobody asked for an upgrade, so it is
  /// the answer.
  bool is_interim() const { return status >= 100 && status < 200 && status != 101; }
  std::string_view header(const std::string& name) const;
};

/// Returns how many bytes of `data` are the head with the empty line at its end; 0 = the end has not come yet.
/// Lines may end with a bare LF (RFC 9112 2.2). Empty lines before the status line belong to the head.
std::size_t head_size(std::string_view data);

/// Reads a whole head. Lenient as long as the status is clear: the reason may be missing, malformed header lines are
/// skipped, and white space around a name is not part of the name.
/// returns: nothing = this is not an HTTP answer
std::optional<AnswerHead> read_head(std::string_view head);

/// Finds the end of an answer's body, and decodes chunks.
/// source: RFC 9112 6.3
class BodyReader {
 public:
  enum class State { NeedsMore, Complete, Wrong };

  /// head_only: this is the answer to a HEAD request
  BodyReader(const AnswerHead& head, bool head_only);

  /// Takes all bytes that have come after the head so far, not only the new ones.
  State look(std::string_view data);
  /// Returns whether the body is complete when the peer closes the connection.
  State at_end() const { return kind_ == Kind::UntilEnd ? State::Complete : State::Wrong; }
  /// The body as far as it has come, without chunk framing.
  const std::string& body() const { return body_; }

 private:
  enum class Kind { None, Length, Chunked, UntilEnd };

  State look_at_chunks(std::string_view data);

  Kind kind_ = Kind::UntilEnd;
  std::size_t length_ = 0;  // Length: bytes of the body
  std::size_t at_ = 0;      // Chunked: offset up to which the chunks have been read
  bool broken_ = false;
  std::string body_;
};

}  // namespace meshdns::http
