#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/time/time.h"

namespace meshdns::kubernetes {

/// Why the API server refuses a request or ends a watch: an object of the kind Status.
struct Refusal {
  int code = 0;         // the status of HTTP, also where it comes within a watch: 410
  std::string reason;   // "Expired"; may be empty
  std::string message;  // for people; may be empty
  std::optional<Duration> retry_after;

  /// Returns "410 Expired: too old resource version: 240 (277)". Its characters are printable.
  std::string text() const;
};

/// Reads an object of the kind Status. A code that is missing becomes 500.
Refusal refusal_of(const boost::json::object& status);
/// Reads the body of an answer other than 2xx. A body that is no Status is the message, in part.
/// code:        of the answer's head; the body's code does not count
/// retry_after: of the answer's head; counts more than the body's
Refusal parse_refusal(int code, std::optional<Duration> retry_after, std::string_view body);

}  // namespace meshdns::kubernetes
