#include "common/kubernetes/refusal.h"

#include <algorithm>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/kubernetes/json_text.h"

namespace meshdns::kubernetes {
namespace {

constexpr std::size_t kLongestText = 512;  // bytes of a message that are kept

std::string cut(std::string_view text) { return std::string(trim(text).substr(0, kLongestText)); }

std::optional<Duration> retry_after(const boost::json::object& status) {
  const boost::json::object* details = object_in(status, "details");
  const auto seconds = details == nullptr ? std::nullopt : number_in(*details, "retryAfterSeconds");
  if (!seconds || *seconds <= 0) return std::nullopt;
  return std::chrono::seconds(std::min<std::int64_t>(*seconds, 3600));
}

}  // namespace

std::string Refusal::text() const {
  std::string out = std::to_string(code);
  if (!reason.empty()) out += " " + reason;
  if (!message.empty()) out += ": " + message;
  return printable(out);
}

Refusal refusal_of(const boost::json::object& status) {
  Refusal out;
  out.code = static_cast<int>(std::clamp<std::int64_t>(number_in(status, "code").value_or(500), 0, 999));
  out.reason = cut(text_in(status, "reason"));
  out.message = cut(text_in(status, "message"));
  out.retry_after = retry_after(status);
  return out;
}

Refusal parse_refusal(int code, std::optional<Duration> retry_after, std::string_view body) {
  Refusal out;
  const auto status = parse_object(body);
  if (status && text_in(*status, "kind") == "Status") {
    out = refusal_of(*status);
  } else {
    out.message = cut(body);
  }
  out.code = code;
  if (retry_after) out.retry_after = retry_after;
  return out;
}

}  // namespace meshdns::kubernetes
