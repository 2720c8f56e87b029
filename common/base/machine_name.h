#pragma once

#include <optional>
#include <string>

namespace meshdns {

/// Returns this machine's name as gethostname(2) reports it, with or without a domain; nothing = the call failed.
std::optional<std::string> machine_name();

}  // namespace meshdns
