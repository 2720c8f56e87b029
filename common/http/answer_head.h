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
  std::string version;                         // "1.1"
  std::map<std::string, std::string> headers;  // names in lower case; the last of a name counts

  /// Whether the answer proper follows (RFC 9110 15.2). 101 is not interim here: nobody asked for an upgrade, so it is
  /// the answer.
  bool is_interim() const { return status >= 100 && status < 200 && status != 101; }
  /// Whether the server takes further requests on the connection.
  /// source: RFC 9112 9.3
  bool is_persistent() const;
  std::string_view header(const std::string& name) const;
};

/// Returns the line that begins at `at`, without its end, and moves `at` after the end. A line may end with a bare LF.
/// returns: nothing = the end has not come yet; `at` is unchanged
/// source:  RFC 9112 2.2
std::optional<std::string_view> next_line(std::string_view data, std::size_t& at);

/// Returns the status in "HTTP/1.1 200 OK", with or without the reason; 0 = this is not a status line.
int status_of(std::string_view line);

/// Reads a whole head, which may begin with empty lines. Lenient as long as the status is clear: the reason may be
/// missing, malformed header lines are skipped, and white space around a name is not part of the name.
/// returns: nothing = this is not an HTTP answer
std::optional<AnswerHead> read_head(std::string_view head);

}  // namespace meshdns::http
