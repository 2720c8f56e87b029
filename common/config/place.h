#pragma once

#include <string>
#include <string_view>

#include "common/config/load.h"
#include "common/config/yaml_tree.h"

namespace meshdns::config {

/// A value in a file, and the path to it from the document's root. Lives on the stack of the walk through the file: the
/// parent must outlive it.
struct Place {
  const YamlNode* node;
  const Place* parent = nullptr;
  std::string_view key = {};  // if the parent is a map; the text must outlive this
  std::size_t index = 0;      // if the parent is a list

  /// Returns the value under a key. If the file has no such key, the place still has that path, with the position of
  /// its parent.
  Place child(std::string_view name) const&;
  Place child(std::string_view name) const&& = delete;  // a temporary parent would not outlive the child
  /// Returns the value at a position in the list.
  /// requires: the list has the position
  Place item(std::size_t position) const&;
  Place item(std::size_t position) const&& = delete;
  /// Returns the path: "spec.ports[0].targetPort".
  std::string path() const;
};

/// Collects the problems of one file.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  void add(const Place& place, std::string what) { add(*place.node, place.path(), std::move(what)); }
  /// Adds a problem at a position other than the value's, for example at its key.
  void add(const YamlNode& where, std::string path, std::string what);
  void add(const SyntaxError& error);
  bool empty() const { return problems_.empty(); }
  /// Returns the problems in the order of the lines, and empties the report.
  Problems take();

 private:
  std::string file_;
  Problems problems_;
};

/// Returns a text of the file for "(got ...)" in a problem: shortened, and printable.
std::string shown(std::string_view text);
/// Returns "given twice (first in line 7)".
std::string given_twice(int first_line);

}  // namespace meshdns::config
