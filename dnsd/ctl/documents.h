#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

enum class Output : std::uint8_t { Table, Json, Yaml };

/// A reply for programs; Yaml or Json.
std::string document(const google::protobuf::Message& message, Output output);

/// One of many that come one after the other: a line of JSON, or a YAML document that begins with "---".
std::string stream_document(const google::protobuf::Message& message, Output output);

/// Objects as documents that `apply` takes again: YAML documents, or a JSON object (a list of several).
std::string object_documents(const v1::ListReply& reply, Output output);

}  // namespace meshdns::ctl
