#pragma once

#include <google/protobuf/descriptor.h>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/config/yaml_tree.h"

namespace meshdns::config {

/// A key that the map of a message may have in a file.
struct Key {
  std::string name;
  /// null = the key is known, but not read like a field (an object's spec and status)
  const google::protobuf::FieldDescriptor* field = nullptr;
  bool foreign = false;  // Kubernetes writes the key, and nobody should: it is ignored, and not proposed
};

/// The keys of one message type. Keys are field names in daemon configurations, and JSON names in operators' objects.
struct Keys {
  std::vector<Key> list;
  std::unordered_map<std::string_view, std::size_t> positions;  // in `list`, by name

  /// Returns the keys that a person may write.
  std::vector<std::string> names() const;
};

/// The keys that a map gives, by their positions in Keys: the key's node in the file; null = not given.
using Seen = std::vector<const YamlNode*>;

/// Remembers the keys of the message types that were asked for.
class KeyTable {
 public:
  /// Returns the keys of a type. The reference is valid as long as the table.
  const Keys& of(const google::protobuf::Descriptor& type);

 private:
  std::unordered_map<const google::protobuf::Descriptor*, Keys> keys_;
};

}  // namespace meshdns::config
