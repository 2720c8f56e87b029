#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meshdns::authority {

/// The parts of a token's text, "meshdns1.<id>.<secret>.<authority>".
struct TokenText {
  std::string id;         // finds the federation's record of the token
  std::string secret;     // hexadecimal; proves that its holder has it from an operator
  std::string authority;  // SHA-256 of the authority's public key, hexadecimal: by it the holder knows the federation
};

std::string text(const TokenText& token);

/// Reads a token. White space around it does not count.
/// errors: InvalidArgument: the text is no token
Result<TokenText> parse_token(std::string_view text);

}  // namespace meshdns::authority
