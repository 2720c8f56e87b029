#include "common/http/request_text.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace meshdns::http {
namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool may_have_body(std::string_view method) {
  constexpr std::array<std::string_view, 5> kWithout = {"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"};
  return std::find(kWithout.begin(), kWithout.end(), method) == kWithout.end();
}

}  // namespace

std::string request_text(const RequestParts& parts) {
  const auto own = [&](std::string_view name) {
    return std::none_of(parts.headers.begin(), parts.headers.end(),
                        [&](const auto& header) { return ascii_lower(header.first) == ascii_lower(name); });
  };
  std::string out = parts.method + " " + parts.path + " HTTP/1.1\r\n";
  if (own("Host")) append_header(out, "Host", parts.host);
  if (own("User-Agent")) append_header(out, "User-Agent", "meshdns");
  if (own("Connection")) append_header(out, "Connection", parts.keeps_connection ? "keep-alive" : "close");
  for (const auto& [name, value] : parts.headers) append_header(out, name, value);
  if (may_have_body(parts.method) && own("Content-Length")) append_header(out, "Content-Length", "0");
  return out + "\r\n";
}

bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> kIdempotent = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::find(kIdempotent.begin(), kIdempotent.end(), method) != kIdempotent.end();
}

}  // namespace meshdns::http
