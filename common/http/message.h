#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::http {

/// A request as a handler sees it: method and target are split, parameters percent-decoded.
struct Request {
  std::string method;                             // "GET"
  std::string path;                               // "/v1/explain"
  std::map<std::string, std::string> parameters;  // of the query part; the last of a name wins
  std::string body;                               // at most 64 KiB
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::map<std::string, std::string> headers{};  // besides Content-Type and Content-Length
};

/// thread: the loop's
using Handler = std::function<Response(const Request&)>;
/// Answers now or later, on the loop's thread; at most once. A `done` that is dropped closes the connection.
using LateHandler = std::function<void(const Request&, std::function<void(Response)> done)>;

/// Splits "/path?a=b&c=d" and decodes %xx and +; a broken escape stays as it is.
Request parse_target(std::string_view method, std::string_view target);

/// The text as a parameter's value in a target.
std::string percent_encoded(std::string_view text);

}  // namespace meshdns::http
