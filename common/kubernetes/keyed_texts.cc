#include "common/kubernetes/keyed_texts.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "common/base/base64.h"
#include "common/base/printable.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/object_reader.h"

namespace meshdns::kubernetes {
namespace {

namespace json = boost::json;

std::string_view kind_name(Keeper kind) { return kind == Keeper::Secret ? "Secret" : "ConfigMap"; }

/// Parses the body, and checks that it is an object of the kind.
Result<json::object> object_of(Keeper kind, std::string_view body) {
  auto out = parse_object(body);
  // the text of a body that is something else may be a secret
  if (!out || text_in(*out, "kind") != kind_name(kind))
    return Error(Code::DataLoss, "the answer is no " + std::string(kind_name(kind)));
  return out;
}

/// Puts texts into an object. Those of a Secret go into `stringData`, which the API server encodes.
void put(Keeper kind, json::object& object, const KeyedTexts& texts) {
  json::value& held = object["data"];
  if (!held.is_object()) held.emplace_object();
  json::object plain;
  for (const auto& [key, text] : texts) {
    held.get_object().erase(json_view(key));
    if (text.empty()) continue;
    json::object& out = kind == Keeper::Secret ? plain : held.get_object();
    out[json_view(key)] = json_view(text);
  }
  if (kind == Keeper::Secret) object["stringData"] = std::move(plain);
}

}  // namespace

std::string keeper_path(Keeper kind, std::string_view name_space, std::string_view name) {
  std::string out = "/api/v1/namespaces/" + std::string(name_space);
  out += kind == Keeper::Secret ? "/secrets" : "/configmaps";
  return name.empty() ? out : out + "/" + std::string(name);
}

Result<KeyedTexts> read_texts(Keeper kind, std::string_view body) {
  const auto object = object_of(kind, body);
  if (!object) return object.error();
  std::string problem;
  auto texts = ObjectReader(*object, problem).texts("data");
  if (!problem.empty()) return Error(Code::DataLoss, std::string(kind_name(kind)) + ": " + printable(problem));
  if (kind == Keeper::ConfigMap) return texts;
  for (auto& [key, text] : texts) {
    auto bytes = from_base64(text);
    if (!bytes) return Error(Code::DataLoss, "Secret: data." + printable(key) + ": no base64");
    text = *std::move(bytes);
  }
  return texts;
}

std::string new_keeper(Keeper kind, std::string_view name_space, std::string_view name, const KeyedTexts& texts) {
  json::object metadata;
  metadata["namespace"] = json_view(name_space);
  metadata["name"] = json_view(name);
  metadata["labels"] = json::object{{"app.kubernetes.io/part-of", "meshdns"}};
  json::object out;
  out["apiVersion"] = "v1";
  out["kind"] = json_view(kind_name(kind));
  out["metadata"] = std::move(metadata);
  put(kind, out, texts);
  return json::serialize(out);
}

Result<std::string> with_texts(Keeper kind, std::string_view body, const KeyedTexts& texts) {
  const auto object = object_of(kind, body);
  if (!object) return object.error();
  json::object out(*object, json::storage_ptr());  // the parsed one has memory that only grows
  put(kind, out, texts);
  return json::serialize(out);
}

}  // namespace meshdns::kubernetes
