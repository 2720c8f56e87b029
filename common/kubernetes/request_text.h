#pragma once

#include <string>
#include <string_view>

#include "common/kubernetes/client.h"

namespace meshdns::kubernetes {

/// Returns a request as it is sent.
/// authority: the value of the header Host
/// token:     empty = the request carries none
std::string request_text(const Request& request, std::string_view authority, std::string_view token);

}  // namespace meshdns::kubernetes
