#include "dnsd/ctl/documents.h"

#include <google/protobuf/util/json_util.h>

#include "common/config/json_yaml.h"
#include "common/config/object_text.h"

namespace meshdns::ctl {

namespace {

std::string json_of(const google::protobuf::Message& message, bool whitespace) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = whitespace;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "";
  return json;
}

}  // namespace

std::string document(const google::protobuf::Message& message, Output output) {
  const std::string json = json_of(message, true);
  return output == Output::Yaml ? config::yaml_of_json(json) : json;
}

std::string stream_document(const google::protobuf::Message& message, Output output) {
  if (output == Output::Yaml) return "---\n" + document(message, output);
  return json_of(message, false) + "\n";
}

std::string object_documents(const v1::ListReply& reply, Output output) {
  std::string out;
  if (output == Output::Yaml) {
    for (const v1::Object& object : reply.objects()) out += (out.empty() ? "" : "---\n") + config::object_yaml(object);
    return out;
  }
  for (const v1::Object& object : reply.objects()) {
    std::string text = config::object_json(object);
    while (text.ends_with('\n')) text.pop_back();
    out += (out.empty() ? "" : ",\n") + text;
  }
  return reply.objects_size() == 1 ? out + "\n" : "[" + out + "]\n";
}

}  // namespace meshdns::ctl
