#pragma once

#include <google/protobuf/message.h>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/config/place.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::config {

/// Fills protobuf messages from a YAML tree, by reflection and by the `rules` option of each field. Keys are field
/// names in daemon configurations, whose defaults are filled in too, and JSON names in operators' objects. Continues
/// after a problem, so that all problems of a file are reported at once.
class MessageReader {
 public:
  explicit MessageReader(Report& report) : report_(report) {}

  /// Fills a message from a map. Problems go to the report.
  /// place: a map, or null, which counts as an empty map
  void read(const Place& place, google::protobuf::Message& out);

 private:
  using Field = google::protobuf::FieldDescriptor;
  struct Key {
    std::string name;
    const Field* field = nullptr;  // null = the key is known, but not read here (an object's spec and status)
  };
  struct Keys {
    std::vector<Key> list;
    std::unordered_map<std::string_view, std::size_t> positions;
  };
  struct Entry {  // one entry of a map in the file
    const YamlNode& key;
    Place value;
  };
  using Seen = std::vector<const YamlNode*>;  // by position in Keys: the key's node in the file; null = not given

  const Keys& keys_of(const google::protobuf::Descriptor& type);
  void read_entry(const Entry& entry, const Keys& keys, Seen& seen, google::protobuf::Message& out);
  void read_field(const Entry& entry, const Field& field, google::protobuf::Message& out);
  void read_scalar(const Place& place, const Field& field, google::protobuf::Message& out);
  void read_list(const Place& place, const Field& field, google::protobuf::Message& out);
  void read_map(const Place& place, const Field& field, google::protobuf::Message& out);
  void read_spec(const Place& place, meshdns::v1::Object& out);
  void unknown(const Entry& entry, const Keys& keys);
  /// Returns how many required keys are not given.
  static std::size_t missing(const Keys& keys, const Seen& seen);
  /// Whether a missing required key is probably misspelt, because the map has an unknown key. The unknown key was
  /// reported, so the missing one need not be.
  /// alone: no other required key is missing
  static bool is_misspelt(const Place& place, const Keys& keys, std::size_t wanted, bool alone);
  static std::vector<std::string> key_names(const Keys& keys);
  void not_given(const Place& place, const Key& key, google::protobuf::Message& out);
  void check_unique(const Place& list, const Field& field, const google::protobuf::Message& message);
  void check_keys(const Place& list, const Field& field, const google::protobuf::Message& message);
  void check_oneofs(const Place& place, const Keys& keys, const Seen& seen);
  /// Whether the value has the kind. Null is neither the kind nor a problem; any other kind is reported.
  bool is_kind(const Place& place, YamlNode::Kind kind);

  Report& report_;
  std::unordered_map<const google::protobuf::Descriptor*, Keys> keys_;
};

/// Whether the message type has a field with a default.
bool has_fallback(const google::protobuf::Descriptor& type);

}  // namespace meshdns::config
