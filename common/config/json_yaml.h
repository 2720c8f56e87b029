#pragma once

#include <string>

namespace meshdns::config {

/// JSON written as YAML in block style, keys in their order. json: valid, as protobuf prints it
std::string yaml_of_json(const std::string& json);

}  // namespace meshdns::config
