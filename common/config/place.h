#pragma once

#include <string>
#include <string_view>

#include "common/config/load.h"
#include "common/config/yaml_tree.h"

namespace meshdns::config {

/// A value in a file and the way to it from the document's root. Lives on the stack of the walk: the parent outlives
/// it.
struct Place {
  const Node* node;
  const Place* parent = nullptr;
  std::string_view key = {};  // where the parent is a map; not kept
  std::size_t index = 0;      // where it is a list

  /// The value under `key`. Where the file has none, the place is named all the same and stands where its parent does.
  Place child(std::string_view name) const&;
  Place child(std::string_view name) const&& = delete;  // its parent would be gone
  /// The value at a position that the list has.
  Place item(std::size_t position) const&;
  Place item(std::size_t position) const&& = delete;
  /// "spec.ports[0].targetPort"
  std::string path() const;
};

/// Collects what is wrong with one file.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  void add(const Place& place, std::string what) { add(*place.node, place.path(), std::move(what)); }
  /// Where the fault is not at the value: at its key.
  void add(const Node& where, std::string path, std::string what);
  void add(const SyntaxError& error);
  bool empty() const { return problems_.empty(); }
  /// In the order of the lines.
  Problems take();

 private:
  std::string file_;
  Problems problems_;
};

/// What a person wrote, for "(got ...)": shortened, with nothing unprintable.
std::string shown(std::string_view text);
/// "given twice (first in line 7)"
std::string given_twice(int first_line);

}  // namespace meshdns::config
