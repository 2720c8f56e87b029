#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns {

/// ASCII only, as DNS does it (RFC 4343).
char ascii_lower(char c);
std::string ascii_lower(std::string_view text);

/// The parts between separators; an empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// The whole text as a decimal number without sign; nothing if anything else is in it or it does not fit.
std::optional<std::uint64_t> parse_uint(std::string_view text);

/// "1 host", "2 hosts"
std::string counted(std::uint64_t count, std::string_view what);

/// Edits (insert, delete, replace, swap of neighbours) that lead from a to b; for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate closest to `word`, if it is close enough to be meant (a third of its length, at least 1, at most 3
/// edits).
std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// A label of letters, digits and hyphens, 1 to 63 long, no hyphen at either end (RFC 1123 2.1).
bool is_ldh_label(std::string_view label);

}  // namespace meshdns
