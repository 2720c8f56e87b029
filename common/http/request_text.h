#pragma once

#include <map>
#include <string>
#include <string_view>

namespace meshdns::http {

/// The parts of a request without a body. Their texts are sent unchanged: the caller has checked that no line ends are
/// in them.
struct RequestParts {
  std::string method = "GET";
  std::string path = "/";
  std::string host;
  std::map<std::string, std::string> headers{};  // a header of the same name replaces one that is added here
  bool keeps_connection = false;
};

/// Returns the bytes of a request of HTTP/1.1. Adds Host, User-Agent, Connection, and where the method may have a body
/// Content-Length: 0.
/// source: RFC 9112 3 and 6.2, RFC 9110 8.6
std::string request_text(const RequestParts& parts);

/// Whether a request may be sent twice without another effect than once, so that it may be repeated where it is unknown
/// whether the server has got it.
/// source: RFC 9110 9.2.2
bool is_idempotent(std::string_view method);

}  // namespace meshdns::http
