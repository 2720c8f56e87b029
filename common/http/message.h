#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::http {

/// A request as a handler gets it: the target is split, and the parameters are percent-decoded.
struct Request {
  std::string method;                             // "GET"
  std::string path;                               // "/v1/explain"
  std::map<std::string, std::string> parameters;  // from the query part; the last one of a name counts
  std::string body;                               // at most ServerOptions::most_body
};

/// An answer of a handler. The server adds the headers of the connection.
struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::map<std::string, std::string> headers{};  // besides Content-Type and Content-Length
};

/// Answers a request at once.
/// thread: the loop's
using Handler = std::function<Response(const Request&)>;
/// Answers a request at once or later, by calling `done` at most once, on the loop's thread. The connection is closed
/// if `done` is destroyed without a call.
using LateHandler = std::function<void(const Request&, std::function<void(Response)> done)>;

/// Splits "/path?a=b&c=d", and decodes %xx and +. A broken escape is unchanged.
Request parse_target(std::string_view method, std::string_view target);

/// Returns a text encoded as a parameter's value.
std::string percent_encoded(std::string_view text);

}  // namespace meshdns::http
