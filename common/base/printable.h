#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace meshdns {

// How it works: names, details, labels and reasons come from peers, and end on terminals, in logs and in answers. There
// an escape character moves the cursor, a line end forges a line, and a bidirectional control shows a name as another
// one. Whatever is written for people passes one of these functions, which write such a character as JSON does: \u001b,
// \n. So it is seen, it does nothing, and inside the strings of a JSON document it means the same as before.
//
// Replaced: control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls, characters without
// width, and bytes that are no UTF-8 (\x9b).

/// A line end and a tab, too, are characters that a text of one line does not have.
enum class Lines : bool { One, Many };

/// Returns how many bytes at the start of `text` are shown as they are.
std::size_t printable_length(std::string_view text, Lines lines = Lines::One);

/// What is written in place of one character.
struct PrintableEscape {
  std::array<char, 6> text;
  std::size_t size = 0;    // of `text`
  std::size_t length = 0;  // bytes of the character

  std::string_view view() const { return {text.data(), size}; }
  /// The text has a byte there that begins no character.
  bool is_invalid() const { return text[1] == 'x'; }
};
/// requires: printable_length(text) == 0, and a text that is not empty
PrintableEscape printable_escape(std::string_view text);

/// Takes a text apart, in its order: calls `shown` with each part that is shown as it is, `escaped` with each character
/// that is not and what is written in its place. Allocates nothing.
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

/// Calls `append` with the parts of the printable text, one after the other. Allocates nothing.
template <class Append>
void for_printable(std::string_view text, Lines lines, Append append) {
  for_printable(text, lines, append,
                [&append](std::string_view, const PrintableEscape& escape) { append(escape.view()); });
}

/// Appends a text between quotes, with the escapes of JSON. character: called with each character that is not shown as
/// it is, and its escape; returns what is written
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

/// Returns the text as it may be written for people.
std::string printable(std::string_view text, Lines lines = Lines::One);

}  // namespace meshdns
