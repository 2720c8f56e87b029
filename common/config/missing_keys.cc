#include "common/config/missing_keys.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/config/rules.h"

namespace meshdns::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool is_required(const Key& key) { return key.field != nullptr && rules_of(*key.field).required(); }

bool is_plain_message(const FieldDescriptor& field) {
  return !field.is_repeated() && !is_scalar(field) && field.real_containing_oneof() == nullptr &&
         rules_of(field).later().empty();
}

/// Whether the message type has a field with a default.
bool has_fallback(const Descriptor& type) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (rules_of(field).fallback_size() > 0) return true;
    if (is_plain_message(field) && has_fallback(*field.message_type())) return true;
  }
  return false;
}

/// Returns how many required keys are not given.
std::size_t missing(const Keys& keys, const Seen& seen) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < keys.list.size(); ++i) {
    if (seen[i] == nullptr && is_required(keys.list[i])) ++out;
  }
  return out;
}

/// Whether a missing required key is probably misspelt, because the map has an unknown key. The unknown key was
/// reported, so the missing one need not be.
/// alone: no other required key is missing
bool is_misspelt(const Place& place, const Keys& keys, const Key& wanted, bool alone) {
  if (!is_required(wanted) || !place.node->is(YamlNode::Kind::Map)) return false;
  const auto& children = place.node->children;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    if (!children[i]->is(YamlNode::Kind::Scalar) || keys.positions.contains(children[i]->text)) continue;
    const auto guess = did_you_mean(children[i]->text, keys.names());
    if (guess ? *guess == wanted.name : alone) return true;
  }
  return false;
}

/// Reports a key if it is required, and sets its default, or the defaults of the message that it names.
void not_given(const Place& place, const Key& key, Message& out, KeyTable& table, Report& report) {
  if (key.field == nullptr) return;
  if (is_required(key)) report.add(place, key.name + " is missing");
  for (const auto& text : rules_of(*key.field).fallback()) {
    MESHDNS_CHECK(!put_scalar(out, *key.field, text));
  }
  if (!is_plain_message(*key.field) || !has_fallback(*key.field->message_type())) return;
  Message& inner = *out.GetReflection()->MutableMessage(&out, key.field);
  const Place here{place.node, &place, key.name};
  for (const Key& each : table.of(*inner.GetDescriptor()).list) {
    if (!is_required(each)) not_given(here, each, inner, table, report);
  }
}

}  // namespace

void fill_missing(const Place& place, const Seen& seen, Message& out, KeyTable& table, Report& report) {
  const Keys& keys = table.of(*out.GetDescriptor());
  const bool alone = missing(keys, seen) == 1;
  for (std::size_t i = 0; i < keys.list.size(); ++i) {
    if (seen[i] == nullptr && !is_misspelt(place, keys, keys.list[i], alone)) {
      not_given(place, keys.list[i], out, table, report);
    }
  }
}

}  // namespace meshdns::config
