#pragma once

#include <google/protobuf/message.h>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/config/place.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::config {

/// Walks YAML onto messages by reflection and their rules. Keys are field names in daemon configs (where defaults are
/// filled in too) and JSON names in objects. Goes on after a problem: all of them are found at once.
class MessageReader {
 public:
  explicit MessageReader(Report& report) : report_(report) {}

  /// place: a map, or nothing at all, which is an empty one
  void read(const Place& place, google::protobuf::Message& out);

 private:
  using Field = google::protobuf::FieldDescriptor;
  struct Key {
    std::string name;
    const Field* field = nullptr;  // nullptr: the key is known, but not read here (an object's spec and status)
  };
  struct Keys {
    std::vector<Key> list;
    std::unordered_map<std::string_view, std::size_t> positions;
  };
  struct Entry {  // of a map in the file
    const Node& key;
    Place value;
  };
  using Seen = std::vector<const Node*>;  // by position in Keys: the key in the file

  const Keys& keys_of(const google::protobuf::Descriptor& type);
  void read_entry(const Entry& entry, const Keys& keys, Seen& seen, google::protobuf::Message& out);
  void read_field(const Entry& entry, const Field& field, google::protobuf::Message& out);
  void read_scalar(const Place& place, const Field& field, google::protobuf::Message& out);
  void read_list(const Place& place, const Field& field, google::protobuf::Message& out);
  void read_map(const Place& place, const Field& field, google::protobuf::Message& out);
  void read_spec(const Place& place, meshdns::v1::Object& out);
  void unknown(const Entry& entry, const Keys& keys);
  /// How many required keys are not given.
  static std::size_t missing(const Keys& keys, const Seen& seen);
  /// A required key is missing where there is one that nobody knows: that was said, and is the likely reason.
  /// alone: no other required key is missing
  static bool is_misspelt(const Place& place, const Keys& keys, std::size_t wanted, bool alone);
  static std::vector<std::string> key_names(const Keys& keys);
  void not_given(const Place& place, const Key& key, google::protobuf::Message& out);
  void check_unique(const Place& list, const Field& field, const google::protobuf::Message& message);
  void check_keys(const Place& list, const Field& field, const google::protobuf::Message& message);
  void check_oneofs(const Place& place, const Keys& keys, const Seen& seen);
  /// Nothing is fine too; anything else is a problem.
  bool is_kind(const Place& place, Node::Kind kind);

  Report& report_;
  std::unordered_map<const google::protobuf::Descriptor*, Keys> keys_;
};

/// Whether something in it is filled in when its key is missing.
bool has_fallback(const google::protobuf::Descriptor& type);

}  // namespace meshdns::config
