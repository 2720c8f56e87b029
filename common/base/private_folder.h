#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns {

/// Creates the folder with mode 0700, and the folders above it, if they are missing. An existing folder is unchanged.
/// errors: Unavailable, with the reason
Result<void> make_private_folder(const std::string& path);

/// Returns why the folder cannot be trusted as this user's own: it is a link, belongs to another user, or is open to
/// others. Empty = it can be trusted.
std::string untrusted(const std::string& path);

}  // namespace meshdns
