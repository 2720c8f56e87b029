#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meshdns {

/// Returns the hint that ends an error text about an unknown word: " (did you mean eu-1?)"; empty = there is no guess.
/// guess:  from did_you_mean()
/// around: the characters before and after the guess, "\"\"" or "{}"; empty = none
std::string hint(const std::optional<std::string>& guess, std::string_view around = {});

}  // namespace meshdns
