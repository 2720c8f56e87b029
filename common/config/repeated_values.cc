#include "common/config/repeated_values.h"

#include <fmt/format.h>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/text.h"
#include "common/config/rules.h"

namespace meshdns::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;

std::string names_of(const OneofDescriptor& oneof) {
  std::vector<std::string> names;
  for (int i = 0; i < oneof.field_count(); ++i) names.push_back(oneof.field(i)->name());
  return join(names, ", ");
}

/// Returns the value of a text field for comparison; if it is not given, the first word of one_of, which is its
/// default.
std::string key_text(const Message& element, const FieldDescriptor& field) {
  const std::string text = element.GetReflection()->GetString(element, &field);
  const v1::Rules& rules = rules_of(field);
  if (text.empty() && rules.one_of_size() > 0) return rules.one_of(0);
  return same_value_key(rules, text);
}

}  // namespace

void check_unique(const Place& list, const FieldDescriptor& field, const Message& message, Report& report) {
  std::unordered_map<std::string, int> lines;
  for (std::size_t i = 0; i < list.node->children.size(); ++i) {
    const auto text = message.GetReflection()->GetRepeatedString(message, &field, static_cast<int>(i));
    if (text.empty()) continue;  // was reported while the list was read
    const Place item = list.item(i);
    const auto [first, is_new] = lines.try_emplace(same_value_key(rules_of(field), text), item.node->line);
    if (!is_new) report.add(item, given_twice(first->second));
  }
}

void check_element_keys(const Place& list, const FieldDescriptor& field, const Message& message, Report& report) {
  const FieldDescriptor& key = *field.message_type()->FindFieldByName(rules_of(field).key());
  const FieldDescriptor* protocol = field.message_type()->FindFieldByName("protocol");  // lists of ports have it
  std::unordered_map<std::string, int> lines;
  for (std::size_t i = 0; i < list.node->children.size(); ++i) {
    const Place item = list.item(i);
    const Message& element = message.GetReflection()->GetRepeatedMessage(message, &field, static_cast<int>(i));
    const auto text = key_text(element, key);
    const Place at = item.child(key.name());
    if (text.empty()) {
      const bool optional = !rules_of(key).required() && list.node->children.size() > 1;
      if (optional) report.add(item, fmt::format("{} is missing: needed where there are several", key.name()));
      continue;
    }
    // a TCP and a UDP port may share a name: _sip._tcp and _sip._udp
    const std::string whole = protocol == nullptr ? text : text + "/" + key_text(element, *protocol);
    const auto [first, is_new] = lines.try_emplace(whole, at.node->line);
    if (!is_new && !text.ends_with(":0")) report.add(at, given_twice(first->second));
  }
}

void check_oneofs(const Place& map, const Keys& keys, const Seen& seen, Report& report) {
  std::map<const OneofDescriptor*, const YamlNode*> given;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const FieldDescriptor* field = keys.list[i].field;
    if (seen[i] == nullptr || field == nullptr || field->real_containing_oneof() == nullptr) continue;
    const YamlNode*& other = given[field->real_containing_oneof()];
    if (other != nullptr) {
      report.add(*seen[i], map.path(), fmt::format("only one of {}", names_of(*field->real_containing_oneof())));
    }
    other = seen[i];
  }
}

}  // namespace meshdns::config
