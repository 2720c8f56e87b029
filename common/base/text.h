#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns {

/// Returns the lower case of ASCII letters; other bytes are unchanged, as in DNS.
/// source: RFC 4343
char ascii_lower(char c);
std::string ascii_lower(std::string_view text);

/// Returns the parts of a text between separators, as views into `text`. An empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Returns the whole text as a decimal number without sign; nothing if the text has any other character or the number
/// does not fit.
std::optional<std::uint64_t> parse_uint(std::string_view text);

/// Returns a count with its noun: "1 host", "2 hosts".
std::string counted(std::uint64_t count, std::string_view what);

/// Returns the number of edits (insert, delete, replace, swap of neighbours) that lead from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Returns the candidate closest to `word`, if it is at most a third of the word's length away in edits (at least 1, at
/// most 3); otherwise nothing.
std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// Whether `label` is 1 to 63 letters, digits and hyphens, with no hyphen at either end.
/// source: RFC 1123 2.1
bool is_ldh_label(std::string_view label);

}  // namespace meshdns
