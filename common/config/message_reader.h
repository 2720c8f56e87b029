#pragma once

#include <google/protobuf/message.h>
#include <string>

#include "common/config/message_keys.h"
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
  struct Entry {  // one entry of a map in the file
    const YamlNode& key;
    Place value;
  };

  void read_entry(const Entry& entry, const Keys& keys, Seen& seen, google::protobuf::Message& out);
  void read_field(const Entry& entry, const Field& field, google::protobuf::Message& out);
  void read_scalar(const Place& place, const Field& field, google::protobuf::Message& out);
  void read_list(const Place& place, const Field& field, google::protobuf::Message& out);
  void read_map(const Place& place, const Field& field, google::protobuf::Message& out);
  /// Reads the word that may be written instead of a mapping.
  void read_word(const Place& place, const std::string& word, google::protobuf::Message& out);
  void read_spec(const Place& place, meshdns::v1::Object& out);
  void unknown(const Entry& entry, const Keys& keys);
  /// Whether the value has the kind. Null is neither the kind nor a problem; any other kind is reported.
  bool is_kind(const Place& place, YamlNode::Kind kind);

  Report& report_;
  KeyTable table_;
};

}  // namespace meshdns::config
