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

  /// An answer follows (RFC 9110 15.2). Nobody asked for 101, so it is the answer.
  bool is_interim() const { return status >= 100 && status < 200 && status != 101; }
  std::string_view header(const std::string& name) const;
};

/// Returns how many bytes of `data` are the head with the empty line that ends it; 0 = its end has not come yet.
/// Lines may end with a bare LF (RFC 9112 2.2). Empty lines before the status line belong to the head.
std::size_t head_size(std::string_view data);

/// Reads a whole head. It is lenient where the status is clear: a reason is not needed, header lines that are none are
/// passed over, and white space around a name is not part of the name.
/// returns: nothing if it is no HTTP answer
std::optional<AnswerHead> read_head(std::string_view head);

/// How the body of an answer ends.
/// source: RFC 9112 6.3
class BodyReader {
 public:
  enum class State { NeedsMore, Complete, Wrong };

  /// head_only: the answer to HEAD
  BodyReader(const AnswerHead& head, bool head_only);

  /// Looks at everything that has come after the head.
  State look(std::string_view data);
  /// What the peer's end of the connection means.
  State at_end() const { return kind_ == Kind::UntilEnd ? State::Complete : State::Wrong; }
  /// The body as far as it has come, without the framing of chunks.
  const std::string& body() const { return body_; }

 private:
  enum class Kind { None, Length, Chunked, UntilEnd };

  State look_at_chunks(std::string_view data);

  Kind kind_ = Kind::UntilEnd;
  std::size_t length_ = 0;  // Length: of the body
  std::size_t at_ = 0;      // Chunked: what is before has been read
  bool broken_ = false;
  std::string body_;
};

}  // namespace meshdns::http
