#pragma once

#include <string>

#include "meshdns/v1/types.pb.h"

namespace meshdns::config {

/// The document that load_objects reads back equal (but for the status, which nobody may apply): apiVersion, kind,
/// metadata, spec, status; durations as text. Ends with a line end; without "---".
std::string object_yaml(const meshdns::v1::Object& object);

/// The same document as JSON, indented by two.
std::string object_json(const meshdns::v1::Object& object);

}  // namespace meshdns::config
