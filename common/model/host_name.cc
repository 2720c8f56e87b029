#include "common/model/host_name.h"

#include <algorithm>

#include "common/base/text.h"

namespace meshdns::model {

bool is_host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto labels = split(text, '.');
  return text.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_ldh_label);
}

std::string host_key(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return ascii_lower(name);
}

}  // namespace meshdns::model
