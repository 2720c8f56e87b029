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
};
/// requires: printable_length(text) == 0, and a text that is not empty
PrintableEscape printable_escape(std::string_view text);

/// Calls `append` with the parts of the printable text, one after the other. Allocates nothing.
template <class Append>
void for_printable(std::string_view text, Lines lines, Append append) {
  while (!text.empty()) {
    const std::size_t plain = printable_length(text, lines);
    if (plain > 0) append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const PrintableEscape escape = printable_escape(text);
    append(escape.view());
    text.remove_prefix(escape.length);
  }
}

/// Returns the text as it may be written for people.
std::string printable(std::string_view text, Lines lines = Lines::One);

}  // namespace meshdns
