#pragma once

#include <optional>
#include <string>

namespace meshdns {

/// The name of this machine as gethostname(2) has it, with or without a domain; nothing = the system does not say it.
std::optional<std::string> machine_name();

}  // namespace meshdns
