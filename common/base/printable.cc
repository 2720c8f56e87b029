#include "common/base/printable.h"

#include <algorithm>

#include "common/base/utf8.h"

namespace meshdns {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

bool is_shown(char32_t character, Lines lines) {
  if (character < 0x20) return lines == Lines::Many && (character == '\n' || character == '\t');
  if (character < 0x7f) return true;
  const auto within = [character](char32_t first, char32_t last) { return character >= first && character <= last; };
  const bool control = within(0x7f, 0x9f) || within(0x2028, 0x2029);
  const bool bidirectional =
      character == 0x061c || within(0x200e, 0x200f) || within(0x202a, 0x202e) || within(0x2066, 0x2069);
  const bool without_width =
      within(0x200b, 0x200d) || within(0x2060, 0x2064) || within(0x206a, 0x206f) || character == 0xfeff;
  return !control && !bidirectional && !without_width;
}

/// Returns the code point that `text` begins with, which is `length` bytes of UTF-8 long.
char32_t decoded(std::string_view text, std::size_t length) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length == 1) return byte(0);
  char32_t out = byte(0) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) out = out << 6 | (byte(i) & 0x3fU);
  return out;
}

/// Returns the letter of a character's short escape, like n for a line end; 0 = it has none.
char letter_of(char character) {
  switch (character) {
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
  }
}

}  // namespace

std::size_t printable_length(std::string_view text, Lines lines) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte < 0x7f) {
      ++at;
      continue;
    }
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0 || !is_shown(decoded(text.substr(at), length), lines)) break;
    at += length;
  }
  return at;
}

PrintableEscape printable_escape(std::string_view text) {
  PrintableEscape out;
  const std::size_t length = utf8_length(text);
  out.length = std::max<std::size_t>(length, 1);
  if (const char letter = letter_of(text[0]); letter != 0) {
    out.text = {'\\', letter};
    out.size = 2;
    return out;
  }
  const char32_t value = length == 0 ? static_cast<unsigned char>(text[0]) : decoded(text, length);
  const std::size_t digits = length == 0 ? 2 : 4;  // all replaced characters are at most U+FFFF
  out.text = {'\\', length == 0 ? 'x' : 'u'};
  for (std::size_t i = 0; i < digits; ++i) out.text[2 + i] = kDigits[value >> (4 * (digits - 1 - i)) & 0xfU];
  out.size = 2 + digits;
  return out;
}

std::string printable(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  for_printable(text, lines, [&out](std::string_view part) { out += part; });
  return out;
}

}  // namespace meshdns
