#include "common/config/rules.h"

#include <fmt/format.h>
#include <google/protobuf/duration.pb.h>
#include <algorithm>
#include <limits>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/config/formats.h"
#include "common/config/place.h"
#include "common/model/host_name.h"
#include "common/net/prefix.h"
#include "common/net/socket_address.h"
#include "common/time/duration_text.h"
#include "common/time/time_text.h"

namespace meshdns::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Wrong = std::optional<std::string>;

Wrong expected(std::string_view what, std::string_view text) {
  return fmt::format("expected {} (got {})", what, shown(text));
}

template <class T>
void put_number(Message& out, const FieldDescriptor& field, T value) {
  const auto& reflection = *out.GetReflection();
  if constexpr (std::is_same_v<T, bool>) reflection.SetBool(&out, &field, value);
  if constexpr (std::is_same_v<T, std::uint32_t>) reflection.SetUInt32(&out, &field, value);
  if constexpr (std::is_same_v<T, std::uint64_t>) reflection.SetUInt64(&out, &field, value);
  if constexpr (std::is_same_v<T, std::int64_t>) reflection.SetInt64(&out, &field, value);
}

template <class T>
Wrong read_number(Message& out, const FieldDescriptor& field, std::string_view text) {
  const v1::Rules& rules = rules_of(field);
  const bool percent = rules.format() == v1::Rules::PERCENT;
  const auto number = parse_uint(percent && text.ends_with('%') ? text.substr(0, text.size() - 1) : text);
  const bool fits = number && *number <= std::numeric_limits<T>::max();
  const bool huge = fits && *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!fits || (!huge && !in_range(rules, static_cast<std::int64_t>(*number))) || (huge && rules.has_max())) {
    return expected(range_text(rules), text);
  }
  if (percent && !text.ends_with('%')) return expected(range_text(rules), text);
  put_number(out, field, static_cast<T>(*number));
  return std::nullopt;
}

/// Reads an RFC 3339 time, or seconds since 1970, which older versions wrote.
Wrong read_time(Message& out, const FieldDescriptor& field, std::string_view text) {
  if (parse_uint(text)) return read_number<std::int64_t>(out, field, text);
  const auto time = parse_time(text);
  if (!time) return expected("a time like 2026-11-27T18:00:00Z", text);
  put_number(out, field, *time);
  return std::nullopt;
}

Wrong read_bool(Message& out, const FieldDescriptor& field, std::string_view text) {
  if (text != "true" && text != "false") return expected("true or false", text);
  put_number(out, field, text == "true");
  return std::nullopt;
}

Wrong read_text(Message& out, const FieldDescriptor& field, std::string_view text) {
  const auto& reflection = *out.GetReflection();
  // YAML 1.1 takes `off` for false, so that is what Kubernetes makes of it
  if (rules_of(field).format() == v1::Rules::DURATION_OR_OFF && text == "false") text = "off";
  if (field.is_repeated()) {
    reflection.AddString(&out, &field, std::string(text));
  } else {
    reflection.SetString(&out, &field, std::string(text));
  }
  return wrong_text(rules_of(field), text);
}

Wrong outside(const v1::Rules& rules, Duration value, std::string_view text) {
  const auto bound = [](const std::string& written) { return *parse_duration(written); };
  const bool low = !rules.shortest().empty() && value < bound(rules.shortest());
  const bool high = !rules.longest().empty() && value > bound(rules.longest());
  if (!low && !high) return std::nullopt;
  if (rules.longest().empty()) return expected("at least " + rules.shortest(), text);
  return expected(fmt::format("{} to {}", rules.shortest(), rules.longest()), text);
}

Wrong read_duration(Message& out, const FieldDescriptor& field, std::string_view text) {
  const auto value = parse_duration(text);
  if (!value) return expected(duration_example(rules_of(field)), text);
  auto* target = google::protobuf::DynamicCastToGenerated<google::protobuf::Duration>(
      out.GetReflection()->MutableMessage(&out, &field));
  target->set_seconds(*value / 1s);
  target->set_nanos(static_cast<std::int32_t>((*value % 1s).count()));
  return outside(rules_of(field), *value, text);
}

}  // namespace

const v1::Rules& rules_of(const FieldDescriptor& field) { return field.options().GetExtension(v1::rules); }

std::string duration_example(const v1::Rules& rules) {
  const bool long_ones = !rules.shortest().empty() && *parse_duration(rules.shortest()) >= Duration(1s);
  return long_ones ? "a duration like 5s" : "a duration like 500ms";
}

bool is_duration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type() == google::protobuf::Duration::descriptor();
}

bool is_scalar(const FieldDescriptor& field) {
  return field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || is_duration(field);
}

Wrong put_scalar(Message& out, const FieldDescriptor& field, std::string_view text) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: return read_text(out, field, text);
    case FieldDescriptor::CPPTYPE_BOOL: return read_bool(out, field, text);
    case FieldDescriptor::CPPTYPE_UINT32: return read_number<std::uint32_t>(out, field, text);
    case FieldDescriptor::CPPTYPE_UINT64: return read_number<std::uint64_t>(out, field, text);
    case FieldDescriptor::CPPTYPE_INT64:
      return rules_of(field).format() == v1::Rules::TIME ? read_time(out, field, text)
                                                         : read_number<std::int64_t>(out, field, text);
    default: return read_duration(out, field, text);
  }
}

Wrong wrong_text(const v1::Rules& rules, std::string_view text) {
  if (!rules.controls() && std::any_of(text.begin(), text.end(), is_control))
    return "control characters are not allowed";
  if (rules.required() && text.empty()) return "must not be empty";
  const auto& words = rules.one_of();
  if (!words.empty() && std::find(words.begin(), words.end(), text) == words.end()) {
    if (!rules.later().empty()) return "not supported yet";
    const std::vector<std::string> list(words.begin(), words.end());
    return expected((list.size() > 1 ? "one of " : "") + join(list, ", "), text);
  }
  return wrong_format(rules, text);
}

std::string same_value_key(const v1::Rules& rules, std::string_view text) {
  switch (rules.format()) {
    case v1::Rules::ADDRESS:
      if (const auto address = IpAddress::parse(text)) return address->text();
      break;
    case v1::Rules::PREFIX:
      if (const auto prefix = Prefix::parse(text)) return prefix->text();
      break;
    case v1::Rules::SOCKET_ADDRESS:
      if (const auto address = SocketAddress::parse(text)) return address->text();
      break;
    case v1::Rules::DNS_NAME: return model::host_key(text);
    case v1::Rules::LDH_LABEL: return ascii_lower(text);
    default: break;
  }
  return std::string(text);
}

bool is_on_this_host(std::string_view text) {
  if (text.starts_with("unix:")) return true;
  if (const auto address = SocketAddress::parse(text)) return address->ip.is_loopback();
  return model::host_key(text.substr(0, text.rfind(':'))) == "localhost";
}

}  // namespace meshdns::config
