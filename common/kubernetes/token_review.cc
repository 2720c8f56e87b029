#include "common/kubernetes/token_review.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/object_reader.h"

namespace meshdns::kubernetes {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestReason = 512;  // bytes of the API server's text that are repeated
constexpr std::string_view kAccount = "system:serviceaccount:";
constexpr std::string_view kClaims = "authentication.kubernetes.io/";

Error denied(const std::string& why, std::string_view rule) {
  return {Code::PermissionDenied, "service account token: " + why + " (rule " + std::string(rule) + ")"};
}

/// Returns "meshdns/meshdns-agent" of "system:serviceaccount:meshdns:meshdns-agent"; nothing = another user.
std::optional<std::string> account_of(std::string_view user) {
  if (!user.starts_with(kAccount)) return std::nullopt;
  const auto parts = split(user.substr(kAccount.size()), ':');
  if (parts.size() != 2 || !is_ldh_label(parts[0])) return std::nullopt;
  if (!std::ranges::all_of(split(parts[1], '.'), is_ldh_label)) return std::nullopt;
  return std::string(parts[0]) + "/" + std::string(parts[1]);
}

/// Returns a claim of the token, such as "node-name".
/// several: is set if there is more than one value, so that none can be believed
std::string claim(const ObjectReader& extra, std::string_view name, bool& several) {
  const auto values = extra.list_of_texts(std::string(kClaims) + std::string(name));
  several = several || values.size() > 1;
  return values.size() == 1 ? values.front() : "";
}

}  // namespace

std::string token_review_text(std::string_view token, std::string_view audience) {
  json::object spec;
  spec["token"] = json_view(token);
  spec["audiences"] = json::array{json::value(json_view(audience))};
  json::object out;
  out["apiVersion"] = "authentication.k8s.io/v1";
  out["kind"] = "TokenReview";
  out["spec"] = std::move(spec);
  return json::serialize(out);
}

Result<ReviewedToken> read_token_review(std::string_view body, std::string_view audience) {
  const auto object = parse_object(body);
  if (!object) return object.error();
  std::string problem;
  const ObjectReader review(*object, problem);
  if (review.text("kind") != "TokenReview") return Error(Code::DataLoss, "the answer is no TokenReview");
  const ObjectReader status = review.object("status");
  const bool authenticated = status.flag("authenticated");
  const std::string reason = status.text("error");
  const auto audiences = status.list_of_texts("audiences");
  const std::string user = status.object("user").text("username");
  const ObjectReader extra = status.object("user").object("extra");
  bool several = false;
  ReviewedToken out{"", claim(extra, "node-name", several), claim(extra, "pod-name", several),
                    claim(extra, "pod-uid", several)};
  if (!problem.empty()) return Error(Code::DataLoss, "TokenReview: " + printable(problem));
  if (!authenticated || !reason.empty()) {
    const std::string shown = printable(utf8_prefix(reason, kLongestReason));
    return denied("the API server does not accept it" + (shown.empty() ? "" : ": " + shown), "token-review");
  }
  // an API server that knows no audiences accepts the tokens of every client of its own
  if (std::ranges::find(audiences, audience) == audiences.end())
    return denied("it is not made for the audience " + std::string(audience), "token-audience");
  const auto account = account_of(user);
  if (!account) return denied("it is of " + printable(user) + ", which is no service account", "service-account");
  if (several) return denied("it is of several pods or nodes", "token-pod");
  out.account = *account;
  return out;
}

}  // namespace meshdns::kubernetes
