#include "dnsd/ctl/documents.h"

#include "common/convert/document.h"

namespace meshdns::ctl {

using convert::Document;

std::string document(const google::protobuf::Message& message, Output output) {
  const Document out(message);
  return output == Output::Yaml ? out.yaml() : out.json();
}

std::string stream_document(const google::protobuf::Message& message, Output output) {
  if (output == Output::Yaml) return "---\n" + document(message, output);
  return Document(message).json_line() + "\n";
}

std::string ObjectDocuments::add(const v1::ListReply& page, Output output, bool last) {
  std::string out;
  const bool first = objects_ == 0;
  const bool alone = first && last && page.objects_size() == 1;
  if (output == Output::Json && first && !alone) out += "[";
  for (const v1::Object& object : page.objects()) {
    const bool more = objects_++ > 0;
    if (output == Output::Yaml) {
      out += (more ? "---\n" : "") + Document(object).yaml();
      continue;
    }
    out += (more ? ",\n" : "") + Document(object).json_part(0);
  }
  if (output == Output::Json && last) out += alone ? "\n" : "]\n";
  return out;
}

std::string ListDocument::add(const v1::ListReply& page, bool last) {
  Document rest(page);
  const std::vector<Document> rows = rest.take(field_);
  rest.drop_empty_lists_but("");
  return output_ == Output::Json ? json(rows, rest, last) : yaml(rows, rest, last);
}

std::string ListDocument::json(const std::vector<Document>& rows, const Document& rest, bool last) {
  std::string out;
  if (!begun_) out += "{\n  \"" + field_ + "\": [";
  begun_ = true;
  for (const Document& row : rows) out += (rows_++ > 0 ? ",\n    " : "\n    ") + row.json_part(4);
  if (!last) return out;
  out += rows_ > 0 ? "\n  ]" : "]";
  return out + (rest.empty() ? "\n}" : "," + rest.json_part(0).substr(1)) + "\n";  // goes on in the same object
}

std::string ListDocument::yaml(const std::vector<Document>& rows, const Document& rest, bool last) {
  std::string out;
  if (rows_ == 0 && !rows.empty()) out += field_ + ":\n";
  for (const Document& row : rows) out += "  - " + row.yaml(4).substr(4);  // "  - " replaces its first indent
  rows_ += rows.size();
  if (!last) return out;
  return out + (rows_ == 0 ? field_ + ": []\n" : "") + rest.yaml();
}

}  // namespace meshdns::ctl
