#include "common/config/endpoint_lines.h"

#include <fmt/format.h>

#include "common/base/printable.h"
#include "common/config/yaml_tree.h"

namespace meshdns::config {
namespace {

/// Writes values of YAML in the flow style, in one line, up to a number of bytes. Every text is quoted, so that none is
/// taken for something else: the reader asks the key for the type, never the value.
class LineWriter {
 public:
  explicit LineWriter(std::size_t most_bytes) : most_(most_bytes) {}

  /// returns: false = the line would be too long
  bool write(const YamlNode& node) {
    if (node.size > most_) return false;
    switch (node.kind) {
      case YamlNode::Kind::Null: out_ += "null"; break;
      case YamlNode::Kind::Scalar: write_text(node.text); break;
      case YamlNode::Kind::List: return write_all(node, "[]", false);
      case YamlNode::Kind::Map: return write_all(node, "{}", true);
    }
    return out_.size() <= most_;
  }

  const std::string& text() const { return out_; }

 private:
  bool write_all(const YamlNode& node, const char* brackets, bool pairs) {
    out_ += brackets[0];
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const bool is_value = pairs && i % 2 == 1;
      if (i > 0) out_ += is_value ? ": " : ", ";
      if (!write(*node.children[i])) return false;
    }
    out_ += brackets[1];
    return out_.size() <= most_;
  }

  /// source: YAML 1.2 5.7 (escapes)
  void write_text(const std::string& text) {
    out_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') out_ += '\\';
      if (is_control(c)) {
        out_ += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  std::size_t most_;
  std::string out_;
};

std::string text_at(const YamlNode& entry, std::string_view key) {
  const YamlNode* value = entry.find(key);
  return value != nullptr && value->is(YamlNode::Kind::Scalar) ? value->text : std::string();
}

std::string service_of(const YamlNode& entry) {
  const std::string space = text_at(entry, "namespace");
  const std::string service = text_at(entry, "service");
  return space.empty() || service.empty() ? "" : space + "/" + service;
}

}  // namespace

Result<std::vector<EndpointLine>> endpoint_lines(const std::string& text, std::size_t most_bytes) {
  const auto tree = read_yaml(text);
  if (!tree) return Error(Code::DataLoss, fmt::format("line {}: {}", tree.error().line, tree.error().what));
  const YamlNode* list = tree->documents.empty() ? nullptr : tree->documents.front()->find("endpoints");
  if (list == nullptr || !list->is(YamlNode::Kind::List)) {
    return Error(Code::DataLoss, "expected a list `endpoints`");
  }
  std::vector<EndpointLine> out;
  for (const YamlNode* entry : list->children) {
    LineWriter line(most_bytes);
    if (!line.write(*entry)) {
      return Error(
          Code::ResourceExhausted,
          fmt::format("endpoints[{}]: longer than {} bytes with its aliases written out", out.size(), most_bytes));
    }
    out.push_back({line.text(), service_of(*entry)});
  }
  return out;
}

std::string endpoints_text(const std::string& comment, const std::vector<EndpointLine>& lines) {
  std::string out = comment;
  if (lines.empty()) return out + "endpoints: []\n";
  out += "endpoints:\n";
  for (const EndpointLine& line : lines) out += "- " + line.text + "\n";
  return out;
}

}  // namespace meshdns::config
