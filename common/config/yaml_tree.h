#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meshdns::config {

/// One value of a YAML file and where it stands (from 1).
struct Node {
  enum class Kind : std::uint8_t { Null, Scalar, List, Map };

  Kind kind = Kind::Null;
  int line = 1;
  int column = 1;
  std::uint32_t size = 1;             // values in it, itself included, with aliases written out
  std::string text;                   // of a scalar, without its quotes
  std::vector<const Node*> children;  // of a list; of a map key, value, key, value, ...

  bool is(Kind what) const { return kind == what; }
  /// The value of the first such key; nullptr if there is none or this is no map.
  const Node* find(std::string_view key) const;
};

/// The documents of a file; the nodes live as long as the tree.
struct Tree {
  std::deque<Node> nodes;
  std::vector<const Node*> documents;
};

/// What made the text unreadable as YAML, and where.
struct SyntaxError {
  int line = 0, column = 0;
  std::string what;
};

/// UTF-8 only. Aliases are followed, as long as all of them written out stay below kMostValues.
tl::expected<Tree, SyntaxError> read_yaml(const std::string& text);
inline constexpr std::uint32_t kMostValues = 20'000'000;

}  // namespace meshdns::config
