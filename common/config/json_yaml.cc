#include "common/config/json_yaml.h"

#include <yaml-cpp/yaml.h>

namespace meshdns::config {
namespace {

void set_block(YAML::Node node) {
  if (node.IsMap() || node.IsSequence())
    node.SetStyle(node.size() == 0 ? YAML::EmitterStyle::Flow : YAML::EmitterStyle::Block);
  if (node.IsMap()) {
    for (auto entry : node) set_block(entry.second);
  } else if (node.IsSequence()) {
    for (auto entry : node) set_block(entry);
  }
}

}  // namespace

std::string yaml_of_json(const std::string& json) {
  YAML::Node node = YAML::Load(json);
  set_block(node);
  YAML::Emitter out;
  out << node;
  return std::string(out.c_str()) + "\n";
}

}  // namespace meshdns::config
