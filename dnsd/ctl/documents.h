#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/convert/document.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

enum class Output : std::uint8_t { Table, Wide, Json, Yaml };

/// Returns whether the output is a table or text for people.
inline bool is_for_people(Output output) { return output == Output::Table || output == Output::Wide; }

/// Returns a reply as YAML or JSON.
std::string document(const google::protobuf::Message& message, Output output);

/// Returns one of many documents in a row: a line of JSON, or a YAML document that begins with "---".
std::string stream_document(const google::protobuf::Message& message, Output output);

/// Writes objects, page by page, as documents that `apply` accepts: YAML documents, or a JSON object (a list of
/// several). The texts of all pages together are the whole.
class ObjectDocuments {
 public:
  /// returns: the text of the next page
  std::string add(const v1::ListReply& page, Output output, bool last);

 private:
  std::size_t objects_ = 0;
};

/// Writes a listing of nodes or endpoints as one document, page by page. One list with the rows of all pages comes
/// first; all other fields follow as the last page has them.
class ListDocument {
 public:
  /// field: the list in the reply that holds the rows: "endpoints"
  ListDocument(Output output, std::string field) : output_(output), field_(std::move(field)) {}

  /// returns: the text of the next page
  std::string add(const v1::ListReply& page, bool last);

 private:
  std::string json(const std::vector<convert::Document>& rows, const convert::Document& rest, bool last);
  std::string yaml(const std::vector<convert::Document>& rows, const convert::Document& rest, bool last);

  Output output_;
  std::string field_;
  bool begun_ = false;
  std::size_t rows_ = 0;
};

}  // namespace meshdns::ctl
