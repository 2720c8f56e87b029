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
};

/// thread: the loop's
using Handler = std::function<Response(const Request&)>;

/// Splits "/path?a=b&c=d" and decodes %xx and +; a broken escape stays as it is.
Request parse_target(std::string_view method, std::string_view target);

}  // namespace meshdns::http
