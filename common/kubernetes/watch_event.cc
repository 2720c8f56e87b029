#include "common/kubernetes/watch_event.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>

#include "common/base/printable.h"
#include "common/kubernetes/json_text.h"

namespace meshdns::kubernetes {
namespace {

namespace json = boost::json;

constexpr std::string_view kEndOfList = "k8s.io/initial-events-end";

Error damaged(const std::string& why) { return {Code::DataLoss, why}; }

std::optional<EventType> event_type(std::string_view text) {
  if (text == "ADDED") return EventType::Added;
  if (text == "MODIFIED") return EventType::Modified;
  if (text == "DELETED") return EventType::Deleted;
  return std::nullopt;
}

Bookmark bookmark_of(const json::object& object) {
  Bookmark out{std::string(resource_version(object))};
  const json::object* annotations = object_in(*object_in(object, "metadata"), "annotations");
  out.ends_list = annotations != nullptr && text_in(*annotations, kEndOfList) == "true";
  return out;
}

}  // namespace

Result<WatchEvent> parse_watch_event(std::string_view line) {
  auto whole = parse_object(line);
  if (!whole) return whole.error();
  const std::string_view type = text_in(*whole, "type");
  json::value* member = whole->if_contains("object");
  json::object* object = member == nullptr ? nullptr : member->if_object();
  if (object == nullptr) return damaged("an event has no object");
  if (type == "ERROR") return refusal_of(*object);
  const auto change = event_type(type);
  if (!change && type != "BOOKMARK") return damaged("an event has the unknown type \"" + printable(type) + "\"");
  if (resource_version(*object).empty()) return damaged("the object of an event has no resourceVersion");
  if (!change) return bookmark_of(*object);
  return Event{*change, std::move(*object)};
}

Result<Page> parse_page(std::string_view body) {
  auto whole = parse_object(body);
  if (!whole) return whole.error();
  Page out;
  out.version = resource_version(*whole);
  if (out.version.empty()) return damaged("a list has no resourceVersion");
  out.next = text_in(*object_in(*whole, "metadata"), "continue");
  json::value* items = whole->if_contains("items");
  if (items == nullptr || items->is_null()) return out;
  if (!items->is_array()) return damaged("the items of a list are no array");
  out.events.reserve(items->get_array().size());
  for (json::value& item : items->get_array()) {
    if (!item.is_object()) return damaged("an item of a list is no object");
    out.events.push_back({EventType::Added, std::move(item.get_object())});
  }
  return out;
}

}  // namespace meshdns::kubernetes
