#include "common/config/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>
#include <algorithm>
#include <optional>
#include <sstream>

#include "common/base/utf8.h"

namespace meshdns::config {
namespace {

/// Builds the tree from yaml-cpp's events. yaml-cpp's own Node is too slow for large files, and follows aliases without
/// limit.
class Builder : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    // At a token that cannot begin a document, like ",", yaml-cpp 0.7 reports empty documents forever.
    if (mark.pos <= last_start_) throw YAML::ParserException(mark, "a value cannot begin here");
    last_start_ = mark.pos;
    anchors_.clear();
    open_.clear();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, YamlNode::Kind::Null); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end() || std::find(open_.begin(), open_.end(), found->second) != open_.end()) {
      throw YAML::ParserException(mark, "an alias inside its own anchor");
    }
    attach(mark, found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    add(mark, anchor, YamlNode::Kind::Scalar).text = value;
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back(&add(mark, anchor, YamlNode::Kind::List));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back(&add(mark, anchor, YamlNode::Kind::Map));
  }
  void OnMapEnd() override { close(); }

  Tree take() { return std::move(tree_); }

 private:
  YamlNode& add(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    YamlNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    const bool collection = kind == YamlNode::Kind::List || kind == YamlNode::Kind::Map;
    if (collection && !open_.empty()) open_.back()->children.push_back(&node);  // close() adds its size
    if (!collection || open_.empty()) attach(mark, &node);
    return node;
  }

  void attach(const YAML::Mark& mark, YamlNode* node) {
    if (open_.empty()) {
      tree_.documents.push_back(node);
      return;
    }
    open_.back()->children.push_back(node);
    grow(*open_.back(), node->size, mark);
  }

  void close() {
    const YamlNode* done = open_.back();
    open_.pop_back();
    if (!open_.empty()) grow(*open_.back(), done->size, YAML::Mark::null_mark());
  }

  static void grow(YamlNode& node, std::uint32_t by, const YAML::Mark& mark) {
    node.size += by;  // cannot overflow: both are at most kMostValues
    if (node.size > kMostValues) throw YAML::ParserException(mark, fmt::format("more than {} values", kMostValues));
  }

  Tree tree_;
  int last_start_ = -1;
  std::vector<YamlNode*> open_;
  std::map<YAML::anchor_t, YamlNode*> anchors_;
};

std::optional<SyntaxError> not_text(std::string_view text) {
  int line = 1;
  std::size_t line_start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0 || text[at] == '\0') {
      return SyntaxError{line, static_cast<int>(at - line_start) + 1, "not UTF-8 text"};
    }
    at += length;
    if (text[at - 1] == '\n') {
      ++line;
      line_start = at;
    }
  }
  return std::nullopt;
}

SyntaxError syntax_error(const YAML::Exception& thrown) {
  if (thrown.mark.is_null()) return {0, 0, "not YAML: " + thrown.msg};
  return {thrown.mark.line + 1, thrown.mark.column + 1, "not YAML: " + thrown.msg};
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  if (kind != Kind::Map) return nullptr;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    if (children[i]->text == key && children[i]->is(Kind::Scalar)) return children[i + 1];
  }
  return nullptr;
}

tl::expected<Tree, SyntaxError> read_yaml(const std::string& text) {
  if (auto bad = not_text(text)) return tl::unexpected(*std::move(bad));
  Builder builder;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& thrown) {
    return tl::unexpected(syntax_error(thrown));
  }
  return builder.take();
}

}  // namespace meshdns::config
