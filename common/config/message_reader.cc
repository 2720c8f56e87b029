#include "common/config/message_reader.h"

#include <fmt/format.h>
#include <string>
#include <unordered_map>

#include "common/base/hint.h"
#include "common/base/text.h"
#include "common/config/missing_keys.h"
#include "common/config/repeated_values.h"
#include "common/config/rules.h"

namespace meshdns::config {
namespace {

using google::protobuf::DynamicCastToGenerated;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using meshdns::v1::Object;

bool asks_nothing(const YamlNode& node) {
  return node.is(YamlNode::Kind::Null) || (node.is(YamlNode::Kind::List) && node.children.empty());
}

std::string got(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::Null: return "nothing";
    case YamlNode::Kind::List: return "a list";
    case YamlNode::Kind::Map: return "a mapping";
    default: return shown(node.text);
  }
}

std::string_view kind_name(YamlNode::Kind kind) {
  if (kind == YamlNode::Kind::List) return "a list";
  return kind == YamlNode::Kind::Map ? "a mapping" : "a single value";
}

std::string scalar_name(const FieldDescriptor& field) {
  if (is_duration(field)) return duration_example(rules_of(field));
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return "a text";
  return field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL ? "true or false" : "a number";
}

}  // namespace

void MessageReader::read(const Place& place, Message& out) {
  const Keys& keys = table_.of(*out.GetDescriptor());
  Seen seen(keys.list.size(), nullptr);
  if (is_kind(place, YamlNode::Kind::Map)) {
    const auto& children = place.node->children;
    for (std::size_t i = 0; i < children.size(); i += 2) {
      read_entry({*children[i], {children[i + 1], &place, children[i]->text}}, keys, seen, out);
    }
    check_oneofs(place, keys, seen, report_);
  }
  if (!place.node->is(YamlNode::Kind::Map) && !place.node->is(YamlNode::Kind::Null))
    return;  // is_kind() has reported it
  fill_missing(place, seen, out, table_, report_);
  if (auto* object = DynamicCastToGenerated<Object>(&out)) read_spec(place, *object);
}

bool MessageReader::is_kind(const Place& place, YamlNode::Kind kind) {
  if (place.node->is(kind)) return true;
  if (!place.node->is(YamlNode::Kind::Null)) {
    report_.add(place, fmt::format("expected {} (got {})", kind_name(kind), got(*place.node)));
  }
  return false;
}

void MessageReader::read_entry(const Entry& entry, const Keys& keys, Seen& seen, Message& out) {
  if (!entry.key.is(YamlNode::Kind::Scalar)) {
    return report_.add(entry.key, entry.value.parent->path(), "a key must be a text");
  }
  const auto found = keys.positions.find(entry.key.text);
  if (found == keys.positions.end()) return unknown(entry, keys);
  const YamlNode*& first = seen[found->second];
  if (first != nullptr) return report_.add(entry.key, entry.value.path(), given_twice(first->line));
  first = &entry.key;
  if (const FieldDescriptor* field = keys.list[found->second].field) read_field(entry, *field, out);
}

void MessageReader::unknown(const Entry& entry, const Keys& keys) {
  const auto names = keys.names();
  const auto guess = did_you_mean(entry.key.text, names);
  report_.add(entry.key, entry.value.path(),
              guess ? "unknown field" + hint(guess, "\"\"")
                    : fmt::format("unknown field ({})",
                                  names.empty() ? "there are none here" : "expected " + join(names, ", ")));
}

void MessageReader::read_field(const Entry& entry, const FieldDescriptor& field, Message& out) {
  const v1::Rules& rules = rules_of(field);
  if (!rules.later().empty() && rules.one_of().empty()) {
    if (!asks_nothing(*entry.value.node)) report_.add(entry.key, entry.value.path(), "not supported yet");
    return;
  }
  if (field.is_map()) return read_map(entry.value, field, out);
  if (field.is_repeated()) return read_list(entry.value, field, out);
  if (is_scalar(field)) return read_scalar(entry.value, field, out);
  Message& inner = *out.GetReflection()->MutableMessage(&out, &field);
  if (!rules.word().empty() && entry.value.node->is(YamlNode::Kind::Scalar)) {
    return read_word(entry.value, rules.word(), inner);
  }
  read(entry.value, inner);
}

void MessageReader::read_word(const Place& place, const std::string& word, Message& out) {
  if (place.node->text != word) {
    return report_.add(place, fmt::format("expected {} or a mapping (got {})", word, shown(place.node->text)));
  }
  out.GetReflection()->SetBool(&out, out.GetDescriptor()->FindFieldByName(word), true);
  static const YamlNode nothing;
  read({&nothing, place.parent, place.key}, out);  // fills in the defaults
}

void MessageReader::read_scalar(const Place& place, const FieldDescriptor& field, Message& out) {
  const YamlNode& node = *place.node;
  if (!node.is(YamlNode::Kind::Scalar)) {
    if (field.is_repeated()) put_scalar(out, field, "");  // keeps the list's positions; reported in the next line
    return report_.add(place, fmt::format("expected {} (got {})", scalar_name(field), got(node)));
  }
  if (auto wrong = put_scalar(out, field, node.text)) report_.add(place, *std::move(wrong));
}

void MessageReader::read_list(const Place& place, const FieldDescriptor& field, Message& out) {
  if (rules_of(field).one_alone() && place.node->is(YamlNode::Kind::Scalar)) return read_scalar(place, field, out);
  if (!is_kind(place, YamlNode::Kind::List) || place.node->children.empty()) {
    if (rules_of(field).required() && (place.node->is(YamlNode::Kind::Null) || place.node->is(YamlNode::Kind::List))) {
      report_.add(place, "at least one is needed");
    }
    return;
  }
  for (std::size_t i = 0; i < place.node->children.size(); ++i) {
    const Place item = place.item(i);
    if (is_scalar(field)) {
      read_scalar(item, field, out);
    } else {
      if (item.node->is(YamlNode::Kind::Null)) report_.add(item, "expected a mapping (got nothing)");
      read(item, *out.GetReflection()->AddMessage(&out, &field));
    }
  }
  if (rules_of(field).unique()) check_unique(place, field, out, report_);
  if (!rules_of(field).key().empty()) check_element_keys(place, field, out, report_);
}

void MessageReader::read_map(const Place& place, const FieldDescriptor& field, Message& out) {
  if (!is_kind(place, YamlNode::Kind::Map)) return;
  const FieldDescriptor& key_field = *field.message_type()->map_key();
  const FieldDescriptor& value_field = *field.message_type()->map_value();
  std::unordered_map<std::string_view, int> lines;
  const auto& children = place.node->children;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    const YamlNode& key = *children[i];
    if (!key.is(YamlNode::Kind::Scalar) || key.text.empty()) {
      report_.add(key, place.path(), "a key must be a text");
      continue;
    }
    const Place value{children[i + 1], &place, key.text};
    if (const auto [first, is_new] = lines.try_emplace(key.text, key.line); !is_new) {
      report_.add(key, value.path(), given_twice(first->second));
      continue;
    }
    Message& entry = *out.GetReflection()->AddMessage(&out, &field);
    if (auto wrong = put_scalar(entry, key_field, key.text)) report_.add(key, value.path(), *std::move(wrong));
    read_scalar(value, value_field, entry);
  }
}

void MessageReader::read_spec(const Place& place, Object& out) {
  const Place kind = place.child("kind");
  if (out.kind().empty()) {
    if (place.node->find("kind") == nullptr) report_.add(place, "kind is missing");
    return;
  }
  const Place spec = place.child("spec");
  const bool given = place.node->find("spec") != nullptr;
  static const YamlNode nothing;
  const Place read_from{given ? spec.node : &nothing, &place, "spec"};
  if (out.kind() == "MeshCluster") out.set_kind("Cluster");  // its name in the Kubernetes API
  if (out.kind() == "Cluster") return read(read_from, *out.mutable_cluster());
  if (out.kind() == "VirtualDestination" || out.kind() == "Override") {
    if (!given) return report_.add(place, "spec is missing");
    if (out.kind() == "Override") return read(read_from, *out.mutable_override());
    return read(read_from, *out.mutable_virtual_destination());
  }
  const auto guess = did_you_mean(out.kind(), {"VirtualDestination", "MeshCluster", "Cluster", "Override"});
  report_.add(kind,
              guess ? "unknown kind" + hint(guess, "\"\"")
                    : "expected VirtualDestination, MeshCluster, Cluster or Override (got " + shown(out.kind()) + ")");
}

}  // namespace meshdns::config
