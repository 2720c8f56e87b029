#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns {

/// Returns the folder for the socket of a daemon that runs for development, private to this user: meshdns-dev in
/// $XDG_RUNTIME_DIR, otherwise meshdns-dev-UID in the temporary folder.
std::string dev_folder();

/// Creates dev_folder(), or checks that the existing one is private to this user.
/// errors: Unavailable: the folder cannot be created; FailedPrecondition: another user may have access to it
Result<void> own_dev_folder();

}  // namespace meshdns
