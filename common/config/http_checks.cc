#include <fmt/format.h>
#include <algorithm>

#include "common/base/pattern.h"
#include "common/base/text.h"
#include "common/config/checks.h"
#include "common/config/http_status.h"

namespace meshdns::config {
namespace {

bool is_visible(char c) { return c > ' ' && c < 127; }

/// Reports characters that are not visible ASCII: in a request line or Host header they would be sent unchanged, or
/// split the line.
void check_sendable(const Place& place, const std::string& text, Report& report) {
  if (std::all_of(text.begin(), text.end(), is_visible)) return;
  report.add(place, fmt::format("expected visible ASCII characters, others as %XX (got {})", shown(text)));
}

/// Whether the text is a token: a name of a header.
/// source: RFC 9110 5.6.2
bool is_token(std::string_view text) {
  constexpr std::string_view kDelimiters = "\"(),/:;<=>?@[\\]{}";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_visible(c) && kDelimiters.find(c) == std::string_view::npos;
  });
}

void check_header(const Place& place, const std::string& name, const std::string& value, Report& report) {
  const std::string lower = ascii_lower(name);
  if (!is_token(name)) {
    report.add(place, fmt::format("expected the name of a header (got {})", shown(name)));
  } else if (lower == "host") {
    report.add(place, "write `host` beside headers, not in them");
  } else if (lower == "content-length" || lower == "transfer-encoding") {
    report.add(place, "a check sends no body");
  }
  const bool fine = std::all_of(value.begin(), value.end(), [](char c) { return is_visible(c) || c == ' '; });
  if (!fine) report.add(place, fmt::format("expected visible ASCII characters and spaces (got {})", shown(value)));
}

void check_status(const Place& place, const v1::HttpCheck& http, Report& report) {
  const bool is_list = place.node->is(YamlNode::Kind::List);
  for (int i = 0; i < http.status_size(); ++i) {
    if (status_codes_of(http.status(i))) continue;
    report.add(is_list ? place.item(static_cast<std::size_t>(i)) : place,
               fmt::format("expected a code between 100 and 599, or two as 200-299 (got {})", shown(http.status(i))));
  }
}

void check_file(const Place& place, const std::string& path, Report& report) {
  if (path.empty() || path.starts_with('/')) return;
  report.add(place, fmt::format("expected a path that starts with / (got {})", shown(path)));
}

}  // namespace

void check_http(const Place& place, const v1::HttpCheck& http, Report& report) {
  if (!http.path().starts_with('/')) {
    report.add(place.child("path"), fmt::format("expected a path that starts with / (got {})", shown(http.path())));
  } else {
    check_sendable(place.child("path"), http.path(), report);
  }
  check_sendable(place.child("host"), http.host(), report);
  if (!is_token(http.method())) {
    report.add(place.child("method"), fmt::format("expected a method like GET (got {})", shown(http.method())));
  }
  check_status(place.child("status"), http, report);
  const Place headers = place.child("headers");
  for (const auto& [name, value] : http.headers()) check_header(headers.child(name), name, value, report);
  if (http.body().regex().empty()) return;
  const auto pattern = Pattern::compile(http.body().regex());
  const Place body = place.child("body");
  if (!pattern) report.add(body.child("regex"), "not a regular expression of RE2: " + pattern.error().message());
}

void check_tls_options(const Place& check, const v1::CheckTls& options, bool tls, Report& report) {
  const Place place = check.child("tls_options");
  if (!tls && check.node->find("tls_options") != nullptr) {
    return report.add(place, check.key == "http" ? "only of https" : "only with tls: true");
  }
  check_file(place.child("ca"), options.ca(), report);
  check_file(place.child("cert"), options.cert(), report);
  check_file(place.child("key"), options.key(), report);
  if (options.cert().empty() != options.key().empty()) {
    report.add(place, fmt::format("{} is missing", options.cert().empty() ? "cert" : "key"));
  }
}

}  // namespace meshdns::config
