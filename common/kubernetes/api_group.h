#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace meshdns::kubernetes {

/// Returns the versions of an API group, from the answer to GET /apis/GROUP: {"kind":"APIGroup","versions":[{"version":
/// "v1beta1"}]}. Empty if the text is something else.
std::vector<std::string> versions_in(std::string_view body);

}  // namespace meshdns::kubernetes
