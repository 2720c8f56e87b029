#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meshdns::config {

/// One value of a YAML file, and its position; lines and columns count from 1.
struct YamlNode {
  enum class Kind : std::uint8_t { Null, Scalar, List, Map };

  Kind kind = Kind::Null;
  int line = 1;
  int column = 1;
  std::uint32_t size = 1;                 // number of values, with itself, and with aliases expanded
  std::string text;                       // of a scalar, without quotes
  std::vector<const YamlNode*> children;  // of a list; of a map: key, value, key, value, ...

  bool is(Kind what) const { return kind == what; }
  /// Returns the value of the first such key; null = there is none, or this is not a map.
  const YamlNode* find(std::string_view key) const;
};

/// The documents of a file. Nodes live as long as the tree.
struct Tree {
  std::deque<YamlNode> nodes;
  std::vector<const YamlNode*> documents;
};

/// Why a text is not valid YAML, and the position.
struct SyntaxError {
  int line = 0, column = 0;
  std::string what;
};

/// Reads YAML in UTF-8. Aliases are followed, as long as the document has at most kMostValues values with all aliases
/// expanded: otherwise a small file could stand for billions of values.
tl::expected<Tree, SyntaxError> read_yaml(const std::string& text);
inline constexpr std::uint32_t kMostValues = 20'000'000;

}  // namespace meshdns::config
