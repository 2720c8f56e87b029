#include "common/config/place.h"

#include <fmt/format.h>
#include <algorithm>
#include <tuple>

#include "common/base/printable.h"

namespace meshdns::config {

Place Place::child(std::string_view name) const& {
  const YamlNode* found = node->find(name);
  return {found == nullptr ? node : found, this, name};
}

Place Place::item(std::size_t position) const& { return {node->children.at(position), this, {}, position}; }

std::string Place::path() const {
  if (parent == nullptr) return {};
  std::string out = parent->path();
  if (key.empty()) return out + fmt::format("[{}]", index);
  if (!out.empty()) out += '.';
  return out += key;
}

void Report::add(const YamlNode& where, std::string path, std::string what) {
  problems_.push_back({file_, where.line, where.column, std::move(path), std::move(what)});
}

void Report::add(const SyntaxError& error) { problems_.push_back({file_, error.line, error.column, "", error.what}); }

Problems Report::take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::move(problems_);
}

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  if (text.empty()) return "\"\"";
  std::string out;
  for (const char c : text.substr(0, kLongest)) {
    out += is_control(c) ? '?' : c;
  }
  if (text.size() <= kLongest) return out;
  while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0x80U) != 0) out.pop_back();  // no half character
  return out + "...";
}

std::string given_twice(int first_line) { return fmt::format("given twice (first in line {})", first_line); }

}  // namespace meshdns::config
