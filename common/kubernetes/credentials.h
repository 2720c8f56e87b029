#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/time/time.h"

namespace meshdns::kubernetes {

/// Keeps the token and the authorities that a client of the API server uses. The kubelet replaces both files while the
/// process runs, so they are read again each minute. A file that cannot be read then leaves its last content in use:
/// the server says by 401 whether a token is too old.
class Credentials {
 public:
  static constexpr Duration kInterval = 1min;

  struct Content {
    std::string ca;     // PEM
    std::string token;  // empty = requests carry no token

    friend bool operator==(const Content&, const Content&) = default;
  };

  /// Reads nothing before get().
  /// token_file: empty = requests carry no token
  Credentials(std::string ca_file, std::string token_file);

  /// Returns the content of the files, and reads them if a minute has passed.
  /// errors: Unavailable, InvalidArgument: a file has never been readable, with path and reason
  Result<Content> get(TimePoint now);
  /// Makes the next get() read the files: the server has refused the token.
  void expire() { read_at_.reset(); }

 private:
  const std::string ca_file_, token_file_;
  std::optional<TimePoint> read_at_;
  std::optional<Content> content_;
};

/// Reads the text of a token file.
/// errors: InvalidArgument: it is empty, longer than 64 KiB, or has characters that no token has
Result<std::string> parse_token(std::string_view text);

}  // namespace meshdns::kubernetes
