#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace meshdns {

// How it works: names, details, labels and reasons come from peers, and end up on terminals, in logs and in answers.
// There an escape character moves the cursor, a line end forges a line, and a bidirectional control shows a name as
// another name. All text for people passes one of these functions, which write such a character as JSON does: \u001b,
// \n. The character is then visible and harmless, and in a string of a JSON document it still has the same meaning.
//
// Replaced: control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls, characters without
// width, and bytes that are not UTF-8 (\x9b).

/// Whether a text is one line, in which line ends and tabs are replaced too, or may have many lines.
enum class Lines : bool { One, Many };

/// Returns how many bytes at the start of `text` are printable, so that they are written unchanged.
std::size_t printable_length(std::string_view text, Lines lines = Lines::One);

/// The text that replaces one character.
struct PrintableEscape {
  std::array<char, 6> text;
  std::size_t size = 0;    // of `text`
  std::size_t length = 0;  // bytes of the character

  std::string_view view() const { return {text.data(), size}; }
  /// Whether the replaced byte is not part of a UTF-8 character.
  bool is_invalid() const { return text[1] == 'x'; }
};
/// Returns the replacement of the first character of `text`.
/// requires: `text` is not empty, and printable_length(text) == 0
PrintableEscape printable_escape(std::string_view text);

/// Splits a text, from start to end: calls `shown` with each printable part, and `escaped` with each other character
/// and its replacement. Allocates nothing.
template <class Shown, class Escaped>
void for_printable(std::string_view text, Lines lines, Shown shown, Escaped escaped) {
  while (!text.empty()) {
    const std::size_t plain = printable_length(text, lines);
    if (plain > 0) shown(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const PrintableEscape escape = printable_escape(text);
    escaped(text.substr(0, escape.length), escape);
    text.remove_prefix(escape.length);
  }
}

/// Calls `append` with the pieces of printable(text), one after the other. Allocates nothing.
template <class Append>
void for_printable(std::string_view text, Lines lines, Append append) {
  for_printable(text, lines, append,
                [&append](std::string_view, const PrintableEscape& escape) { append(escape.view()); });
}

/// Appends a text between quotes, with the escapes of JSON.
/// character: called with each character that is not printable and its escape; returns the text to write for it
/// source: RFC 8259 7
template <class Character>
void append_quoted(std::string& out, std::string_view text, Character character) {
  out += '"';
  for_printable(
      text, Lines::One,
      [&out](std::string_view part) {
        for (const char c : part) {
          if (c == '"' || c == '\\') out += '\\';
          out += c;
        }
      },
      [&](std::string_view replaced, const PrintableEscape& escape) { out += character(replaced, escape); });
  out += '"';
}

/// Whether a byte is an ASCII control character (C0 or DEL).
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// Returns the text with every character that is not printable replaced.
std::string printable(std::string_view text, Lines lines = Lines::One);

}  // namespace meshdns
