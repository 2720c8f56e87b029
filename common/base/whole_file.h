#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns {

/// Reads a whole file.
/// errors: NotFound: there is no such file. Unavailable: it cannot be read. "PATH: why"
Result<std::string> read_file(const std::string& path);

}  // namespace meshdns
