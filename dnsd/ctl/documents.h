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

/// A table, or text.
inline bool is_for_people(Output output) { return output == Output::Table || output == Output::Wide; }

/// A reply for programs; Yaml or Json.
std::string document(const google::protobuf::Message& message, Output output);

/// One of many that come one after the other: a line of JSON, or a YAML document that begins with "---".
std::string stream_document(const google::protobuf::Message& message, Output output);

/// Objects as documents that `apply` takes again: YAML documents, or a JSON object (a list of several). They come page
/// by page; the texts of all pages together are the whole.
class ObjectDocuments {
 public:
  /// returns: the text of the next page
  std::string add(const v1::ListReply& page, Output output, bool last);

 private:
  std::size_t objects_ = 0;
};

/// A listing of nodes or endpoints as one document, page by page: the rows of all pages in one list that comes first,
/// all else as the last page has it.
class ListDocument {
 public:
  /// field: of the listing, in which the rows are: "endpoints"
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
