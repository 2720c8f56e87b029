#include "common/kubernetes/request_text.h"

namespace meshdns::kubernetes {

std::string request_text(const Request& request, std::string_view authority, std::string_view token) {
  std::string out = request.method + " " + request.target + " HTTP/1.1\r\n";
  const auto header = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  header("Host", authority);
  header("User-Agent", "meshdns");
  header("Accept", request.accept);
  if (!token.empty()) header("Authorization", "Bearer " + std::string(token));
  if (request.method != "GET") {
    header("Content-Type", request.content_type);
    header("Content-Length", std::to_string(request.body.size()));
  }
  out += "\r\n";
  if (request.method != "GET") out += request.body;
  return out;
}

}  // namespace meshdns::kubernetes
