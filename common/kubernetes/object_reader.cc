#include "common/kubernetes/object_reader.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>

#include "common/base/printable.h"
#include "common/time/time_text.h"

namespace meshdns::kubernetes {
namespace {

namespace json = boost::json;

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return "a number";
    case json::kind::string: return "a text";
    case json::kind::array: return "a list";
    case json::kind::object: return "an object";
  }
  return "something else";
}

std::string expected(std::string_view what, const json::value& got) {
  return fmt::format("expected {} (got {})", what, kind_of(got));
}

std::string text_of(const json::string& text) { return {text.data(), text.size()}; }

/// Returns a whole number that is not negative; nothing = it is another number, or none.
std::optional<std::uint64_t> whole_number(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  return std::nullopt;
}

}  // namespace

const json::value* ObjectReader::find(std::string_view name) const {
  const json::value* found = object_->if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string ObjectReader::path_of(std::string_view name) const {
  const std::string shown = printable(name);  // a name of a mapping comes from whoever wrote the object
  return path_.empty() ? shown : path_ + "." + shown;
}

void ObjectReader::fail_at(const std::string& path, std::string_view what) const {
  if (problem_->empty()) *problem_ = path + ": " + std::string(what);
}

void ObjectReader::fail(std::string_view name, std::string_view what) const { fail_at(path_of(name), what); }

std::string ObjectReader::text(std::string_view name) const {
  const json::value* found = find(name);
  if (found == nullptr) return {};
  if (found->is_string()) return text_of(found->get_string());
  fail(name, expected("a text", *found));
  return {};
}

bool ObjectReader::flag(std::string_view name) const {
  const json::value* found = find(name);
  if (found == nullptr) return false;
  if (found->is_bool()) return found->get_bool();
  fail(name, expected("true or false", *found));
  return false;
}

std::uint64_t ObjectReader::number(std::string_view name, std::uint64_t most) const {
  const json::value* found = find(name);
  if (found == nullptr) return 0;
  const auto number = whole_number(*found);
  if (number && *number <= most) return *number;
  const std::string wanted = fmt::format("a whole number of 0 to {}", most);
  fail(name, found->is_number() ? "expected " + wanted : expected(wanted, *found));
  return 0;
}

std::int64_t ObjectReader::time(std::string_view name) const {
  const std::string written = text(name);
  if (written.empty()) return 0;
  const auto parsed = parse_time(written);
  if (parsed) return *parsed;
  fail(name, printable(parsed.error().message()));
  return 0;
}

std::map<std::string, std::string> ObjectReader::texts(std::string_view name) const {
  std::map<std::string, std::string> out;
  const ObjectReader mapping = object(name);
  for (const auto& member : *mapping.object_) {
    const std::string_view key = member.key();
    out.emplace(key, mapping.text(key));
  }
  return out;
}

ObjectReader ObjectReader::object(std::string_view name) const {
  static const json::object kNone;
  const json::value* found = find(name);
  if (found != nullptr && found->is_object()) return {found->get_object(), *problem_, path_of(name)};
  if (found != nullptr) fail(name, expected("an object", *found));
  return {kNone, *problem_, path_of(name)};
}

const json::array& ObjectReader::array(std::string_view name) const {
  static const json::array kNone;
  const json::value* found = find(name);
  if (found == nullptr) return kNone;
  if (found->is_array()) return found->get_array();
  fail(name, expected("a list", *found));
  return kNone;
}

std::vector<ObjectReader> ObjectReader::list(std::string_view name) const {
  std::vector<ObjectReader> out;
  const json::array& items = array(name);
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::string path = fmt::format("{}[{}]", path_of(name), i);
    if (items[i].is_object()) {
      out.push_back({items[i].get_object(), *problem_, std::move(path)});
    } else {
      fail_at(path, expected("an object", items[i]));
    }
  }
  return out;
}

std::vector<std::string> ObjectReader::list_of_texts(std::string_view name) const {
  std::vector<std::string> out;
  const json::array& items = array(name);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].is_string()) {
      out.push_back(text_of(items[i].get_string()));
    } else {
      fail_at(fmt::format("{}[{}]", path_of(name), i), expected("a text", items[i]));
    }
  }
  return out;
}

}  // namespace meshdns::kubernetes
