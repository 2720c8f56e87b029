#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::convert {

/// A protobuf message as JSON or YAML for programs: the output of `meshdnsctl -o` and of HTTP. protobuf's own JSON is
/// not used, because it writes 64-bit numbers as texts and leaves out empty fields.
///
/// All output has one dialect: names are the schema's in camelCase, numbers are numbers, durations are seconds
/// ("90.5s"), and times are RFC 3339 ("2026-11-27T18:00:00Z"; a time of 0 is left out).
///
/// Operators' objects, also inside other messages, are written as `meshdnsctl apply` and `kubectl apply` read them:
/// with `spec`, with durations as in configuration files ("1m30s"), and only with the fields that are given. A Cluster
/// is a MeshCluster there, and what the federation adds to the metadata is in the status. Other messages have all their
/// plain fields, lists and maps, even empty ones.
class Document {
 public:
  explicit Document(const google::protobuf::Message& message);

  /// Returns indented lines, with a line end at the end.
  std::string json() const { return json_part(0) + "\n"; }
  /// Returns indented lines for use inside another document: the second and later lines are indented by `indent` more,
  /// and there is no line end at the end.
  std::string json_part(std::size_t indent) const;
  /// Returns one line without a line end.
  std::string json_line() const;
  std::string yaml(std::size_t indent = 0) const;

  /// Removes the rows of a list from this document and returns them; empty = there is no such list.
  std::vector<Document> take(std::string_view list);
  /// Removes the outermost lists that are empty, except the given one.
  void drop_empty_lists_but(std::string_view list);
  /// Whether a map or list has no entries.
  bool empty() const { return items_.empty(); }

 private:
  struct Builder;
  enum class Kind : std::uint8_t { Text, Bare, List, Map };  // Bare: a number or true/false

  explicit Document(Kind kind, std::string text = {}) : kind_(kind), text_(std::move(text)) {}

  bool is_collection() const { return kind_ == Kind::List || kind_ == Kind::Map; }
  void add(std::string key, Document value);
  void write_json(std::size_t indent, bool lines, std::string& out) const;
  void write_yaml(std::size_t indent, std::string& out) const;
  std::string yaml_scalar() const;

  Kind kind_ = Kind::Map;
  std::string text_;
  std::vector<std::string> keys_;  // only for a map, one for each of items_
  std::vector<Document> items_;
};

}  // namespace meshdns::convert
