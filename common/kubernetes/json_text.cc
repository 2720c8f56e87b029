#include "common/kubernetes/json_text.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include "common/base/printable.h"

namespace meshdns::kubernetes {
namespace {

namespace json = boost::json;

constexpr std::size_t kDeepest = 64;  // of nested values; managedFields of a pod have about 15
constexpr std::size_t kShown = 48;    // bytes of a text that is no JSON

Error not_json(std::string_view text, const std::string& why) {
  return {Code::DataLoss, "not a JSON object (" + why + "): " + printable(text.substr(0, kShown))};
}

}  // namespace

Result<json::object> parse_object(std::string_view text) {
  const auto memory = json::make_shared_resource<json::monotonic_resource>(text.size() + 1024);
  json::parse_options options;
  options.max_depth = kDeepest;
  json::error_code error;
  json::value value = json::parse(json_view(text), error, memory, options);
  if (error) return not_json(text, error.message());
  json::object* object = value.if_object();
  if (object == nullptr) return not_json(text, "another value");
  return std::move(*object);
}

const json::object* object_in(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(json_view(name));
  return found == nullptr ? nullptr : found->if_object();
}

std::string_view text_in(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(json_view(name));
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

std::optional<std::int64_t> number_in(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(json_view(name));
  const std::int64_t* number = found == nullptr ? nullptr : found->if_int64();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::string_view resource_version(const json::object& object) {
  const json::object* metadata = object_in(object, "metadata");
  return metadata == nullptr ? std::string_view() : text_in(*metadata, "resourceVersion");
}

}  // namespace meshdns::kubernetes
