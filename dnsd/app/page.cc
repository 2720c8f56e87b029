#include "dnsd/app/page.h"

#include <string_view>

#include "common/base/text.h"

namespace meshdns::dnsd::app {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::string hex_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

/// Decodes the text of hex_of(); nothing = hex_of() does not write such a text.
std::optional<std::string> text_of(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const auto high = kDigits.find(hex[i]);
    const auto low = kDigits.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

}  // namespace

std::string Continue::text() const { return of + "-" + std::to_string(revision) + "-" + hex_of(after); }

Result<Continue> Continue::parse(const std::string& text, const std::string& of) {
  const auto parts = split(text, '-');
  if (parts.size() == 3 && parts[0] == of) {
    const auto revision = parse_uint(parts[1]);
    auto after = text_of(parts[2]);
    if (revision && after) return Continue{of, *revision, *std::move(after)};
  }
  return Error(Code::InvalidArgument, "continue: this is no token of a page of " + of);
}

}  // namespace meshdns::dnsd::app
