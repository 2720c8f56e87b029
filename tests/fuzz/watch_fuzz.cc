// Any body of a watch, of a list, of a TokenReview and of a Secret: what is read of a watch does not depend on the
// pieces in which it comes, no token without the right audience is believed, and nothing crashes.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/kubernetes/keyed_texts.h"
#include "common/kubernetes/line_splitter.h"
#include "common/kubernetes/token_review.h"
#include "common/kubernetes/watch_event.h"
#include "tests/fuzz/fuzz.h"

namespace kubernetes = meshdns::kubernetes;

namespace {

constexpr std::size_t kLongest = 1024;
constexpr std::string_view kAudience = "fed";

/// What the lines of a body are, up to the first that is too long.
std::vector<std::string> events_of(std::string_view body, std::size_t piece) {
  std::vector<std::string> out;
  kubernetes::LineSplitter splitter(kLongest);
  for (std::size_t at = 0; at < body.size(); at += piece) {
    splitter.put(body.substr(at, piece));
    for (;;) {
      const auto line = splitter.next();
      if (!line) {
        out.push_back(line.error().message());
        return out;
      }
      if (!*line) break;
      MESHDNS_CHECK((*line)->size() <= kLongest);
      const auto event = kubernetes::parse_watch_event(**line);
      out.push_back(event ? std::to_string(event->index()) : event.error().message());
    }
  }
  return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto whole = events_of(body, std::max<std::size_t>(size, 1));
  MESHDNS_CHECK(whole == events_of(body, 1));
  MESHDNS_CHECK(whole == events_of(body, 7));
  const auto page = kubernetes::parse_page(body);
  MESHDNS_CHECK(!page || !page->version.empty());
  const auto refusal = kubernetes::parse_refusal(500, std::nullopt, body);
  MESHDNS_CHECK(refusal.message.size() <= 512);
  const auto token = kubernetes::read_token_review(body, kAudience);
  MESHDNS_CHECK(!token ||
                (body.find(kAudience) != std::string_view::npos && token->account.find('/') != std::string::npos));
  for (const auto kind : {kubernetes::Keeper::Secret, kubernetes::Keeper::ConfigMap}) {
    const bool readable = kubernetes::read_texts(kind, body).has_value();
    MESHDNS_CHECK(!readable || kubernetes::with_texts(kind, body, {{"ca.crt", "x"}}).has_value());
  }
  return 0;
}
