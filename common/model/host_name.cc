#include "common/model/host_name.h"

#include <algorithm>

#include "common/base/text.h"

namespace meshdns::model {

bool is_host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto labels = split(text, '.');
  return text.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_ldh_label);
}

bool is_node_name(std::string_view text) { return !text.ends_with('.') && is_host_name(text); }

bool is_node_key(std::string_view text) {
  const auto slash = text.find('/');
  return slash != std::string_view::npos && is_ldh_label(text.substr(0, slash)) && is_node_name(text.substr(slash + 1));
}

std::string host_key(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return ascii_lower(name);
}

}  // namespace meshdns::model
