#include "common/convert/document.h"

#include <fmt/format.h>
#include <google/protobuf/duration.pb.h>
#include <algorithm>
#include <map>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"
#include "common/time/time_text.h"
#include "meshdns/config/v1/rules.pb.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::convert {
namespace {

using config::v1::Rules;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

config::v1::Rules::Format format_of(const FieldDescriptor& field) {
  return field.options().GetExtension(config::v1::rules).format();
}

bool is_duration(const FieldDescriptor& field) {
  return field.message_type() == google::protobuf::Duration::descriptor();
}

/// Returns the text between quotes with JSON's escapes, which are valid in YAML's double quotes too. Escapes terminal
/// control characters as well, though JSON and YAML do not require it.
std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text, [](std::string_view, const PrintableEscape& escape) {
    return escape.is_invalid() ? std::string_view("\\ufffd") : escape.view();
  });
  return out;
}

bool is_yaml_word(std::string_view text) {
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  return std::find(std::begin(kWords), std::end(kWords), ascii_lower(text)) != std::end(kWords);
}

/// Whether the text is like 5s, 1m30s, 10.0.0.1 or 10.0.0.0/8. These begin like numbers, but no YAML reader takes them
/// for one, so they need no quotes.
bool is_duration_or_ipv4(std::string_view text) {
  if (text.find_first_not_of("0123456789./") == std::string_view::npos) {
    return std::count(text.begin(), text.end(), '.') == 3;
  }
  return parse_duration(text).has_value() && text.front() != '.';
}

/// Whether every YAML reader takes the text without quotes as a text.
bool is_plain(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto inner = [&](char c) {
    return letter(c) || std::string_view("0123456789-./+").find(c) != std::string::npos;
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), inner) || is_yaml_word(text)) return false;
  return letter(text.front()) || is_duration_or_ipv4(text);
}

/// Returns a duration in seconds, "13.684s", which programs can compute with.
std::string seconds_text(Duration length) {
  const Duration rest = length % 1s;
  std::string out = fmt::format("{}{}.{:09}", length < Duration::zero() ? "-" : "", std::chrono::abs(length) / 1s,
                                std::chrono::abs(rest).count());
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out + "s";
}

/// Returns an object in the form of documents, which the Kubernetes API accepts too.
v1::Object in_document_form(const v1::Object& from) {
  v1::Object out = from;
  if (from.kind() == "Cluster") out.set_kind("MeshCluster");
  v1::Metadata& metadata = *out.mutable_metadata();
  if (metadata.created() == 0 && metadata.origin().empty() && metadata.manager().empty() && metadata.revision() == 0)
    return out;
  v1::ObjectStatus& status = *out.mutable_status();
  status.set_created(metadata.created());
  status.set_origin(metadata.origin());
  status.set_manager(metadata.manager());
  status.set_revision(metadata.revision());
  metadata.clear_created();
  metadata.clear_origin();
  metadata.clear_manager();
  metadata.clear_revision();
  return out;
}

}  // namespace

/// Converts a message to a document, field by field.
struct Document::Builder {
  /// True inside operators' objects: fields that are not given are left out.
  bool stated_only = false;

  static Document bare(std::string text) { return Document(Kind::Bare, std::move(text)); }
  static Document text(std::string text) { return Document(Kind::Text, std::move(text)); }

  static Document of_text(const FieldDescriptor& field, const std::string& value) {
    const bool number = format_of(field) == Rules::PORT_OR_NAME && parse_uint(value).has_value();
    return number ? bare(value) : text(value);
  }

  static Document of_number(const FieldDescriptor& field, std::uint32_t number) {
    if (format_of(field) != Rules::PERCENT) return bare(fmt::to_string(number));
    return text(fmt::format("{}%", number));
  }

  static Document of_number(const FieldDescriptor& field, std::int64_t number) {
    return format_of(field) == Rules::TIME ? text(time_text(number)) : bare(fmt::to_string(number));
  }

  Document of_message(const FieldDescriptor& field, const Message& message) const {
    if (!is_duration(field)) return of(message);
    const auto* duration = google::protobuf::DynamicCastToGenerated<google::protobuf::Duration>(&message);
    const Duration length = from_wire(*duration);
    return text(stated_only ? duration_text(length) : seconds_text(length));
  }

  Document of_single(const Message& message, const FieldDescriptor& field) const {
    const auto& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: return of_text(field, reflection.GetString(message, &field));
      case FieldDescriptor::CPPTYPE_BOOL: return bare(reflection.GetBool(message, &field) ? "true" : "false");
      case FieldDescriptor::CPPTYPE_ENUM: return text(reflection.GetEnum(message, &field)->name());
      case FieldDescriptor::CPPTYPE_UINT32: return of_number(field, reflection.GetUInt32(message, &field));
      case FieldDescriptor::CPPTYPE_UINT64: return bare(fmt::to_string(reflection.GetUInt64(message, &field)));
      case FieldDescriptor::CPPTYPE_INT64: return of_number(field, reflection.GetInt64(message, &field));
      default: return of_message(field, reflection.GetMessage(message, &field));
    }
  }

  Document of_map(const Message& message, const FieldDescriptor& field) const {
    const auto& reflection = *message.GetReflection();
    const auto* key_field = field.message_type()->map_key();
    std::map<std::string, const Message*> sorted;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      sorted[entry.GetReflection()->GetString(entry, key_field)] = &entry;
    }
    Document out(Kind::Map);
    for (const auto& [key, entry] : sorted) out.add(key, of_single(*entry, *field.message_type()->map_value()));
    return out;
  }

  Document of_list(const Message& message, const FieldDescriptor& field) const {
    const auto& reflection = *message.GetReflection();
    Document out(Kind::List);
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      out.items_.push_back(field.cpp_type() == FieldDescriptor::CPPTYPE_STRING
                               ? of_text(field, reflection.GetRepeatedString(message, &field, i))
                               : of_message(field, reflection.GetRepeatedMessage(message, &field, i)));
    }
    return out;
  }

  /// Whether a field is written. Messages, optional and oneof fields are if they are set, times if they are not 0.
  bool is_written(const Message& message, const FieldDescriptor& field) const {
    const auto& reflection = *message.GetReflection();
    if (field.is_repeated()) return !stated_only || reflection.FieldSize(message, &field) > 0;
    const bool time = field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 && format_of(field) == Rules::TIME;
    return (!stated_only && !time && !field.has_presence()) || reflection.HasField(message, &field);
  }

  Document of(const Message& message) const {
    const auto* object = google::protobuf::DynamicCastToGenerated<v1::Object>(&message);
    return object == nullptr ? of_fields(message) : of_fields(in_document_form(*object));
  }

  Document of_fields(const Message& message) const {
    const bool object = message.GetDescriptor() == meshdns::v1::Object::descriptor();
    const Builder inner{.stated_only = stated_only || object};
    Document out(Kind::Map);
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *message.GetDescriptor()->field(i);
      if (!inner.is_written(message, field)) continue;
      const bool is_spec = object && field.real_containing_oneof() != nullptr;
      const std::string key = is_spec ? "spec" : field.json_name();
      out.add(key, field.is_map()        ? inner.of_map(message, field)
                   : field.is_repeated() ? inner.of_list(message, field)
                                         : inner.of_single(message, field));
    }
    return out;
  }
};

Document::Document(const Message& message) : Document(Builder().of(message)) {}

void Document::add(std::string key, Document value) {
  keys_.push_back(std::move(key));
  items_.push_back(std::move(value));
}

std::vector<Document> Document::take(std::string_view list) {
  const auto found = std::find(keys_.begin(), keys_.end(), list);
  if (found == keys_.end()) return {};
  const auto item = items_.begin() + (found - keys_.begin());
  std::vector<Document> rows = std::move(item->items_);
  items_.erase(item);
  keys_.erase(found);
  return rows;
}

void Document::drop_empty_lists_but(std::string_view list) {
  for (std::size_t i = items_.size(); i-- > 0;) {
    if (items_[i].kind_ != Kind::List || !items_[i].empty() || keys_[i] == list) continue;
    items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(i));
    keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::string Document::yaml_scalar() const { return kind_ == Kind::Bare || is_plain(text_) ? text_ : quoted(text_); }

/// Writes the lines of a map or list, each indented. If a map is an element of a list, its first line follows the dash.
void Document::write_yaml(std::size_t indent, std::string& out) const {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Document& item = items_[i];
    out.append(indent, ' ');
    const bool in_list = kind_ == Kind::List;
    out += in_list ? "-" : (is_plain(keys_[i]) ? keys_[i] : quoted(keys_[i])) + ":";
    if (!item.is_collection()) {
      out += " " + item.yaml_scalar() + "\n";
    } else if (item.empty()) {
      out += item.kind_ == Kind::List ? " []\n" : " {}\n";
    } else {
      std::string inner;
      item.write_yaml(indent + 2, inner);
      out += in_list ? " " + inner.substr(indent + 2) : "\n" + inner;
    }
  }
}

/// lines: false = everything in one line
void Document::write_json(std::size_t indent, bool lines, std::string& out) const {
  if (!is_collection()) {
    out += kind_ == Kind::Bare ? text_ : quoted(text_);
    return;
  }
  const bool list = kind_ == Kind::List;
  out += list ? '[' : '{';
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (i > 0) out += lines ? "," : ", ";
    if (lines) out.append("\n").append(indent + 2, ' ');
    if (!list) out += quoted(keys_[i]) + ": ";
    items_[i].write_json(indent + 2, lines, out);
  }
  if (lines && !empty()) out.append("\n").append(indent, ' ');
  out += list ? ']' : '}';
}

std::string Document::json_part(std::size_t indent) const {
  std::string out;
  write_json(indent, true, out);
  return out;
}

std::string Document::json_line() const {
  std::string out;
  write_json(0, false, out);
  return out;
}

std::string Document::yaml(std::size_t indent) const {
  std::string out;
  write_yaml(indent, out);
  return out;
}

}  // namespace meshdns::convert
