#include "dnsd/ctl/documents.h"

#include <google/protobuf/util/json_util.h>

#include <string_view>

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

/// A document around the rows of one of its lists. Line ends between the parts belong to none of them.
struct Parts {
  std::string_view head;  // up to the first row, with the line's end
  std::string_view rows;
  std::string_view tail;  // after the list: in JSON after its bracket
};

/// text: as document() writes it: a field of the outermost level begins a line, its rows are indented further
Parts parts_of(std::string_view text, const std::string& field, Output output) {
  const bool json = output == Output::Json;
  const std::string begin = json ? "\n \"" + field + "\": [\n" : "\n" + field + ":\n";
  const auto found = text.find(begin);
  if (found == std::string_view::npos) {  // it has no rows
    const std::string empty = json ? "\n \"" + field + "\": []" : "\n" + field + ": []\n";
    const auto at = text.find(empty);
    return {text.substr(0, at), {}, text.substr(at + empty.size())};
  }
  const auto rows = found + begin.size();
  auto end = json ? text.find("\n ]", rows) : text.find('\n', rows);
  while (!json && end + 1 < text.size() && (text[end + 1] == ' ' || text[end + 1] == '-'))
    end = text.find('\n', end + 1);
  const auto tail = json ? end + 3 : end + 1;
  return {text.substr(0, rows), text.substr(rows, end - rows), text.substr(tail)};
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

std::string ObjectDocuments::add(const v1::ListReply& page, Output output, bool last) {
  std::string out;
  const bool first = objects_ == 0;
  const bool alone = first && last && page.objects_size() == 1;
  if (output == Output::Json && first && !alone) out += "[";
  for (const v1::Object& object : page.objects()) {
    const bool more = objects_++ > 0;
    if (output == Output::Yaml) {
      out += (more ? "---\n" : "") + config::object_yaml(object);
      continue;
    }
    std::string text = config::object_json(object);
    while (text.ends_with('\n')) text.pop_back();
    out += (more ? ",\n" : "") + text;
  }
  if (output == Output::Json && last) out += alone ? "\n" : "]\n";
  return out;
}

std::string ListDocument::add(const v1::ListReply& page, bool last) {
  const std::string text = document(page, output_);
  const Parts parts = parts_of(text, field_, output_);
  const bool first = !std::exchange(begun_, true);
  if (first && last) return text;
  std::string out(first ? parts.head : "");
  if (!first && !parts.rows.empty()) out += output_ == Output::Json ? ",\n" : "\n";
  out += parts.rows;
  if (!last) return out;
  return out + (output_ == Output::Json ? "\n ]" : "\n") + std::string(parts.tail);
}

}  // namespace meshdns::ctl
