#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns {

/// Creates the folder for its owner alone (mode 0700), and the folders above it, where they are missing. A folder that
/// is there stays as it is. errors: Unavailable: the reason
Result<void> make_private_folder(const std::string& path);

/// Returns why the folder cannot be trusted as this user's own: it is a link, another user's, or open to others. Empty
/// = it can be.
std::string untrusted(const std::string& path);

}  // namespace meshdns
