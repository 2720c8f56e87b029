#include "common/authority/token_text.h"

#include <algorithm>

#include "common/authority/digest.h"
#include "common/base/text.h"

namespace meshdns::authority {
namespace {

constexpr std::string_view kVersion = "meshdns1";
constexpr std::size_t kParts = 4;

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string text(const TokenText& token) {
  return std::string(kVersion) + "." + token.id + "." + token.secret + "." + token.authority;
}

Result<TokenText> parse_token(std::string_view text) {
  const auto parts = split(trim(text), '.');
  const bool fits = parts.size() == kParts && parts[0] == kVersion && parts[3].size() == 2 * kDigestBytes &&
                    std::all_of(parts.begin() + 1, parts.end(), is_hex);
  if (!fits) return Error(Code::InvalidArgument, "this is no token of meshdnsctl token create");
  return TokenText{std::string(parts[1]), std::string(parts[2]), std::string(parts[3])};
}

}  // namespace meshdns::authority
