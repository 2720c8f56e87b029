#include "common/config/endpoint_labels.h"

#include <google/protobuf/descriptor.h>

#include <list>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/config/checks.h"
#include "common/config/message_reader.h"
#include "common/config/rules.h"

// How it works: the labels become the tree of values that the YAML of a file would be, and the reader of files reads
// that tree. The message types decide what a label's text is: a text stays as it is whatever is in it, a list is taken
// apart, and names of labels (`labels.`, `headers.`) are not taken apart any further. What no type knows goes into the
// tree too, so that the reader reports it with its hint.

namespace meshdns::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr std::string_view kEntry = "endpoints[0]";
constexpr std::string_view kGivenTwice = "given twice";
constexpr std::string_view kCheck = "checks[0]";

class LabelTree {
 public:
  explicit LabelTree(Report& report)
      : report_(report),
        entry_(make(YamlNode::Kind::Map)),
        list_(make(YamlNode::Kind::List)),
        root_(make(YamlNode::Kind::Map)) {
    list_.children = {&entry_};
    add(root_, "endpoints", list_);
  }

  const YamlNode& root() const { return root_; }

  void put(const std::string& name, const std::string& value) {
    if (name == "check" || name.starts_with("check.")) return put_check(name, value);
    put(entry_, *v1::EndpointEntry::descriptor(), {name, value}, name);
  }

 private:
  struct Label {
    const std::string& name;
    const std::string& value;
  };

  YamlNode& make(YamlNode::Kind kind, std::string text = {}) {
    YamlNode& out = nodes_.emplace_back();
    out.kind = kind;
    out.line = out.column = 0;
    out.text = std::move(text);
    return out;
  }

  void add(YamlNode& map, std::string_view key, const YamlNode& value) {
    if (map.find(key) != nullptr) return;
    map.children.push_back(&make(YamlNode::Kind::Scalar, std::string(key)));
    map.children.push_back(&value);
  }
  void add_text(YamlNode& map, std::string_view key, const std::string& text) {
    add(map, key, make(YamlNode::Kind::Scalar, text));
  }

  /// Returns the mapping under a key; null = another label has put a text there.
  YamlNode* mapping_in(YamlNode& map, std::string_view key) {
    YamlNode*& known = mappings_[{&map, std::string(key)}];
    if (known == nullptr && map.find(key) == nullptr) {
      known = &make(YamlNode::Kind::Map);
      add(map, key, *known);
    }
    return known;
  }

  /// The labels `check.*` describe the only check.
  void put_check(const std::string& name, const std::string& value) {
    if (check_ == nullptr) {
      const bool is_text = name == "check" && !value.empty();
      check_ = is_text ? &make(YamlNode::Kind::Scalar, value) : &make(YamlNode::Kind::Map);
      YamlNode& checks = make(YamlNode::Kind::List);
      checks.children = {check_};
      add(entry_, "checks", checks);
    }
    if (name == "check" || !check_->is(YamlNode::Kind::Map)) return;
    put(*check_, *v1::Check::descriptor(), {name, value}, std::string_view(name).substr(name.find('.') + 1));
  }

  /// Puts a label into a mapping that is a message.
  /// rest: of the label's name, inside the mapping
  void put(YamlNode& map, const Descriptor& type, const Label& label, std::string_view rest) {
    const auto dot = rest.find('.');
    const std::string_view key = rest.substr(0, dot);
    const bool ends = dot == std::string_view::npos;
    const std::string_view below = ends ? std::string_view() : rest.substr(dot + 1);
    const FieldDescriptor* field = type.FindFieldByName(std::string(key));
    if (field == nullptr) return add_text(map, key, label.value);  // the reader reports it
    const bool is_plain = is_scalar(*field) && !field->is_repeated();
    if (is_plain || (field->is_repeated() && !field->is_map())) {
      if (!ends) return report_.add(map, label.name, "unknown label: `" + std::string(key) + "` has no parts");
      return is_plain ? add_text(map, key, label.value) : add(map, key, list_of(label));
    }
    if (ends && !label.value.empty()) return add_text(map, key, label.value);  // likewise
    YamlNode* inner = mapping_in(map, key);
    if (inner == nullptr || ends) return;
    if (field->is_map()) return add_text(*inner, below, label.value);
    put(*inner, *field->message_type(), label, below);
  }

  /// Returns the list that a label's text is.
  const YamlNode& list_of(const Label& label) {
    YamlNode& out = make(YamlNode::Kind::List);
    if (!trim(label.value).starts_with('[')) {
      for (const std::string_view item : split(label.value, ',')) {
        if (!trim(item).empty()) out.children.push_back(&make(YamlNode::Kind::Scalar, std::string(trim(item))));
      }
      return out;
    }
    auto tree = read_yaml(label.value);
    if (!tree || tree->documents.size() != 1) {
      report_.add(out, label.name, tree ? "expected one list" : tree.error().what);
      return out;
    }
    for (YamlNode& node : tree->nodes) node.line = node.column = 0;
    return *trees_.emplace_back(std::move(*tree)).documents.front();
  }

  Report& report_;
  std::deque<YamlNode> nodes_;
  std::list<Tree> trees_;                                                  // of the lists in brackets
  std::map<std::pair<const YamlNode*, std::string>, YamlNode*> mappings_;  // by the outer mapping and the key
  YamlNode& entry_;
  YamlNode& list_;
  YamlNode& root_;
  YamlNode* check_ = nullptr;
};

/// Turns a path in the tree into the name of a label.
std::string label_of(const std::string& path) {
  std::string_view out = path;
  if (out.starts_with(kEntry)) out.remove_prefix(kEntry.size());
  if (out.starts_with('.')) out.remove_prefix(1);
  if (!out.starts_with(kCheck)) return std::string(out);
  return "check" + std::string(out.substr(kCheck.size()));
}

}  // namespace

Loaded<v1::EndpointsFile> load_endpoint_labels(const std::map<std::string, std::string>& labels,
                                               const std::string& name) {
  Report report(name);
  LabelTree tree(report);
  for (const auto& [label, value] : labels) tree.put(label, value);
  v1::EndpointsFile out;
  const Place root{&tree.root()};
  MessageReader(report).read(root, out);
  check_endpoints(root, out, report);
  if (report.empty()) return out;
  Problems problems = report.take();
  for (Problem& problem : problems) {
    problem.path = label_of(problem.path);
    // labels have no lines
    if (problem.what.starts_with(kGivenTwice)) problem.what = kGivenTwice;
  }
  return problems;
}

}  // namespace meshdns::config
