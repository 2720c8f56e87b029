#include "common/identity/spiffe_id.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"

namespace meshdns::identity {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::size_t kLongestUri = 2048;         // SPIFFE-ID 2.3
constexpr std::size_t kLongestTrustDomain = 255;  // SPIFFE-ID 2.3

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_mark(char c) { return c == '.' || c == '-' || c == '_'; }

bool is_trust_domain(std::string_view text) {
  const auto fits = [](char c) { return is_lower(c) || is_digit(c) || is_mark(c); };
  return !text.empty() && text.size() <= kLongestTrustDomain && std::all_of(text.begin(), text.end(), fits);
}

bool is_segment(std::string_view text) {
  const auto fits = [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || is_mark(c); };
  return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), fits);
}

Error refusal(std::string_view why) { return {Code::InvalidArgument, fmt::format("not a SPIFFE ID: {}", why)}; }

}  // namespace

Result<SpiffeId> parse_spiffe_id(std::string_view uri) {
  if (uri.size() > kLongestUri) return refusal(fmt::format("longer than {} bytes", kLongestUri));
  if (!uri.starts_with(kScheme)) return refusal("it does not begin with spiffe://");
  std::vector<std::string_view> parts = split(uri.substr(kScheme.size()), '/');
  SpiffeId out;
  out.trust_domain = parts.front();
  if (!is_trust_domain(out.trust_domain)) return refusal("the trust domain is not lower-case letters, digits, . - _");
  parts.erase(parts.begin());
  if (parts.empty()) return refusal("it has no path");
  if (!std::all_of(parts.begin(), parts.end(), is_segment))
    return refusal("a segment of the path is empty, . or .., or has other characters than letters, digits, . - _");
  out.path = std::move(parts);
  return out;
}

}  // namespace meshdns::identity
