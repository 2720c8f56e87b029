#include "dnsd/catalog/record_kinds.h"

namespace meshdns::catalog {

std::string service_key_text(const model::ServiceKey& key) { return key.namespace_ + "/" + key.name; }

model::ServiceKey service_key_of(const std::string& text) {
  const auto slash = text.find('/');
  return {text.substr(0, slash), slash == std::string::npos ? "" : text.substr(slash + 1)};
}

}  // namespace meshdns::catalog
