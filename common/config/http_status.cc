#include "common/config/http_status.h"

#include "common/base/text.h"

namespace meshdns::config {
namespace {

std::optional<int> code_of(std::string_view text) {
  const auto number = parse_uint(text);
  if (!number || *number < 100 || *number > 599) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

std::optional<std::pair<int, int>> status_codes_of(std::string_view text) {
  const auto dash = text.find('-');
  const auto lowest = code_of(text.substr(0, dash));
  const auto highest = dash == std::string_view::npos ? lowest : code_of(text.substr(dash + 1));
  if (!lowest || !highest || *lowest > *highest) return std::nullopt;
  return std::pair(*lowest, *highest);
}

}  // namespace meshdns::config
