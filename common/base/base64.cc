#include "common/base/base64.h"

#include <cstdint>

namespace meshdns {
namespace {

/// Returns the six bits of a character; nothing = it is none of the alphabet.
std::optional<std::uint32_t> bits_of(char c) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto at = kAlphabet.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional(static_cast<std::uint32_t>(at));
}

}  // namespace

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  text.remove_suffix(padding);
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t held = 0;
  int count = 0;  // of bits in `held`
  for (const char c : text) {
    const auto bits = bits_of(c);
    if (!bits) return std::nullopt;
    held = held << 6 | *bits;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(held >> count & 0xFF);
    held &= (1U << count) - 1;
  }
  if (held != 0) return std::nullopt;  // two texts would mean the same bytes
  return out;
}

}  // namespace meshdns
