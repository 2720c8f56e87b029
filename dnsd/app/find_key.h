#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/hint.h"
#include "common/base/result.h"
#include "common/base/text.h"

namespace meshdns::dnsd::app {

/// Returns whether a word that an operator wrote means the key "cluster/node" or "namespace/name": the word is the
/// whole key, or the part after one of its slashes.
inline bool means_key(std::string_view key, std::string_view word) {
  if (!key.ends_with(word) || word.empty()) return false;
  return key.size() == word.size() || key[key.size() - word.size() - 1] == '/';
}

/// Returns the key of a map that a word means: the word itself if it is a key, or the only key that means_key()
/// accepts; empty = there is none.
/// errors: InvalidArgument: several keys are meant
template <class Map>
Result<std::string> find_key(const Map& map, const std::string& word) {
  if (map.contains(word)) return word;
  std::vector<std::string> found;
  for (const auto& [key, value] : map) {
    if (means_key(key, word)) found.push_back(key);
  }
  if (found.size() > 1) {
    const std::string more = found.size() > 3 ? " and " + std::to_string(found.size() - 3) + " more" : "";
    found.resize(found.size() > 3 ? 3 : found.size());
    return Error(Code::InvalidArgument, word + " may be " + join(found, ", ") + more + ": write the whole name");
  }
  return found.empty() ? std::string() : found.front();
}

/// The largest number of keys among which a similar one is searched for. A longer search would block the control
/// thread.
inline constexpr std::size_t kMostGuessedKeys = 10000;

/// Returns a hint like " (did you mean shop/web?)", or an empty text. The last part of a key is compared, too.
/// prefix: of the keys that are considered; left out of the hint
template <class Map>
std::string meant_key(const Map& map, const std::string& word, const std::string& prefix = "") {
  if (map.size() > kMostGuessedKeys) return "";
  std::vector<std::string> whole;
  std::vector<std::string> last;
  for (const auto& [key, value] : map) {
    if (!key.starts_with(prefix)) continue;
    whole.push_back(key.substr(prefix.size()));
    last.push_back(whole.back().substr(whole.back().rfind('/') + 1));
  }
  auto guess = did_you_mean(word, whole);
  if (!guess) guess = did_you_mean(word.substr(word.rfind('/') + 1), last);
  if (!guess) return "";
  for (const std::string& key : whole) {
    if (means_key(key, *guess)) return hint(key);
  }
  return "";
}

}  // namespace meshdns::dnsd::app
