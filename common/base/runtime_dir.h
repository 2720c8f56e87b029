#pragma once

#include <string>

namespace meshdns {

/// Where a daemon that runs for development has its sockets: $XDG_RUNTIME_DIR, else the temporary folder.
std::string runtime_dir();

}  // namespace meshdns
