#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::convert {

/// A message as it is written for programs, in JSON or YAML. Everything that is written has one dialect: names are
/// those of the schema in camelCase, numbers are numbers, durations are seconds ("90.5s"), and times are RFC 3339
/// ("2026-11-27T18:00:00Z"; a time of 0 is left out).
///
/// Operators' objects, also inside other messages, are written as `apply` takes them: with `spec`, with durations as in
/// configuration files ("1m30s"), and without what is not stated. Other messages have all their plain fields, lists and
/// maps, empty ones too.
class Document {
 public:
  explicit Document(const google::protobuf::Message& message);

  /// Indented lines, the last one with its end. As a part of another document: indented further by `indent` from the
  /// second line on, and without the last line's end.
  std::string json() const { return json_part(0) + "\n"; }
  std::string json_part(std::size_t indent) const;
  /// One line without its end
  std::string json_line() const;
  std::string yaml(std::size_t indent = 0) const;

  /// Takes the rows of a list out of this document; none where it has no such list.
  std::vector<Document> take(std::string_view list);
  /// Leaves out the outermost lists that have no rows, except this one.
  void drop_empty_lists_but(std::string_view list);
  /// Of a map or list: whether nothing is in it.
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
  std::vector<std::string> keys_;  // of a map
  std::vector<Document> items_;
};

}  // namespace meshdns::convert
