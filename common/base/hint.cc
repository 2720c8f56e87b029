#include "common/base/hint.h"

namespace meshdns {

std::string hint(const std::optional<std::string>& guess, std::string_view around) {
  if (!guess) return "";
  const std::size_t half = around.size() / 2;
  return " (did you mean " + std::string(around.substr(0, half)) + *guess + std::string(around.substr(half)) + "?)";
}

}  // namespace meshdns
