#include "common/kubernetes/place_name.h"

#include <algorithm>

#include "common/base/text.h"

namespace meshdns::kubernetes {
namespace {

bool is_plain(char c) { return is_ldh_label(std::string_view(&c, 1)) || c == '-'; }

}  // namespace

std::string place_name(std::string_view label) {
  std::string out(label);
  std::ranges::replace_if(
      out, [](char c) { return !is_plain(c); }, '-');
  return is_ldh_label(out) ? out : "";
}

}  // namespace meshdns::kubernetes
