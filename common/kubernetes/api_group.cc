#include "common/kubernetes/api_group.h"

#include "common/kubernetes/json_text.h"
#include "common/kubernetes/object_reader.h"

namespace meshdns::kubernetes {

std::vector<std::string> versions_in(std::string_view body) {
  std::vector<std::string> out;
  const auto group = parse_object(body);
  if (!group) return out;
  std::string problem;
  for (const ObjectReader& version : ObjectReader(*group, problem).list("versions")) {
    out.push_back(version.text("version"));
  }
  return out;
}

}  // namespace meshdns::kubernetes
