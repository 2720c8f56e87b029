#include "common/config/object_text.h"

#include <fmt/format.h>
#include <google/protobuf/duration.pb.h>
#include <algorithm>
#include <map>
#include <vector>

#include "common/base/text.h"
#include "common/config/rules.h"
#include "common/time/duration_text.h"

namespace meshdns::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using meshdns::v1::Object;

/// A document before it is YAML or JSON.
struct Value {
  enum class Kind { Text, Bare, List, Map };  // Bare: a number or true/false
  Kind kind = Kind::Map;
  std::string text;
  std::vector<std::string> keys;  // of a map
  std::vector<Value> items;

  void add(std::string key, Value value) {
    keys.push_back(std::move(key));
    items.push_back(std::move(value));
  }
};

Value value_of(const Message& message);

Value bare(std::string text) { return {Value::Kind::Bare, std::move(text), {}, {}}; }

Value text_value(const FieldDescriptor& field, const std::string& text) {
  const bool number = rules_of(field).format() == v1::Rules::PORT_OR_NAME && parse_uint(text).has_value();
  return {number ? Value::Kind::Bare : Value::Kind::Text, text, {}, {}};
}

Value number_value(const FieldDescriptor& field, std::uint32_t number) {
  if (rules_of(field).format() != v1::Rules::PERCENT) return bare(fmt::to_string(number));
  return {Value::Kind::Text, fmt::format("{}%", number), {}, {}};
}

Value message_value(const FieldDescriptor& field, const Message& message) {
  if (!is_duration(field)) return value_of(message);
  const auto* duration = google::protobuf::DynamicCastToGenerated<google::protobuf::Duration>(&message);
  const Duration length = std::chrono::seconds(duration->seconds()) + std::chrono::nanoseconds(duration->nanos());
  return {Value::Kind::Text, duration_text(length), {}, {}};
}

Value single_value(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: return text_value(field, reflection.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL: return bare(reflection.GetBool(message, &field) ? "true" : "false");
    case FieldDescriptor::CPPTYPE_UINT32: return number_value(field, reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64: return bare(fmt::to_string(reflection.GetUInt64(message, &field)));
    case FieldDescriptor::CPPTYPE_INT64: return bare(fmt::to_string(reflection.GetInt64(message, &field)));
    default: return message_value(field, reflection.GetMessage(message, &field));
  }
}

Value map_value(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  std::map<std::string, Value> sorted;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const auto* key = field.message_type()->map_key();
    sorted[entry.GetReflection()->GetString(entry, key)] = single_value(entry, *field.message_type()->map_value());
  }
  Value out;
  for (auto& [key, value] : sorted) out.add(key, std::move(value));
  return out;
}

Value list_value(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  Value out{Value::Kind::List, "", {}, {}};
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    out.items.push_back(field.cpp_type() == FieldDescriptor::CPPTYPE_STRING
                            ? text_value(field, reflection.GetRepeatedString(message, &field, i))
                            : message_value(field, reflection.GetRepeatedMessage(message, &field, i)));
  }
  return out;
}

Value value_of(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  Value out;
  for (const FieldDescriptor* field : fields) {
    const bool is_spec = field->containing_type() == Object::descriptor() && field->real_containing_oneof() != nullptr;
    const std::string key = is_spec ? "spec" : field->json_name();
    if (field->is_map()) {
      out.add(key, map_value(message, *field));
    } else {
      out.add(key, field->is_repeated() ? list_value(message, *field) : single_value(message, *field));
    }
  }
  return out;
}

/// JSON's escapes, which YAML's double quotes know too.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += fmt::format("\\{}", c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

bool is_yaml_word(std::string_view text) {
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  return std::find(std::begin(kWords), std::end(kWords), ascii_lower(text)) != std::end(kWords);
}

/// 5s, 1m30s, 10.0.0.1, 10.0.0.0/8: begin like numbers, but no YAML reader takes them for one.
bool is_duration_or_ipv4(std::string_view text) {
  if (text.find_first_not_of("0123456789./") == std::string_view::npos) {
    return std::count(text.begin(), text.end(), '.') == 3;
  }
  return parse_duration(text).has_value() && text.front() != '.';
}

/// Texts that every YAML reader takes as a text without quotes.
bool is_plain(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto inner = [&](char c) {
    return letter(c) || std::string_view("0123456789-./+").find(c) != std::string::npos;
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), inner) || is_yaml_word(text)) return false;
  return letter(text.front()) || is_duration_or_ipv4(text);
}

std::string yaml_scalar(const Value& value) {
  return value.kind == Value::Kind::Bare || is_plain(value.text) ? value.text : quoted(value.text);
}

bool is_collection(const Value& value) { return value.kind == Value::Kind::List || value.kind == Value::Kind::Map; }

/// The lines of a map or list, each indented. As a list's element a map's first line stands behind the dash.
void write_yaml(const Value& value, std::size_t indent, std::string& out) {
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const Value& item = value.items[i];
    out.append(indent, ' ');
    const bool in_list = value.kind == Value::Kind::List;
    out += in_list ? "-" : (is_plain(value.keys[i]) ? value.keys[i] : quoted(value.keys[i])) + ":";
    if (!is_collection(item)) {
      out += " " + yaml_scalar(item) + "\n";
    } else if (item.items.empty()) {
      out += item.kind == Value::Kind::List ? " []\n" : " {}\n";
    } else {
      std::string inner;
      write_yaml(item, indent + 2, inner);
      out += in_list ? " " + inner.substr(indent + 2) : "\n" + inner;
    }
  }
}

void write_json(const Value& value, std::size_t indent, std::string& out) {
  if (!is_collection(value)) {
    out += value.kind == Value::Kind::Bare ? value.text : quoted(value.text);
    return;
  }
  const bool list = value.kind == Value::Kind::List;
  out += list ? '[' : '{';
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    out += i == 0 ? "\n" : ",\n";
    out.append(indent + 2, ' ');
    if (!list) out += quoted(value.keys[i]) + ": ";
    write_json(value.items[i], indent + 2, out);
  }
  if (!value.items.empty()) out.append("\n").append(indent, ' ');
  out += list ? ']' : '}';
}

}  // namespace

std::string object_yaml(const Object& object) {
  std::string out;
  write_yaml(value_of(object), 0, out);
  return out;
}

std::string object_json(const Object& object) {
  std::string out;
  write_json(value_of(object), 0, out);
  return out + "\n";
}

}  // namespace meshdns::config
