#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns {

/// Where a daemon that runs for development has its socket: a folder of this user alone, meshdns-dev in
/// $XDG_RUNTIME_DIR, else meshdns-dev-UID in the temporary folder.
std::string dev_folder();

/// Makes dev_folder(), or finds that it is this user's alone.
/// errors: Unavailable or FailedPrecondition: the folder cannot be made, or another user may reach into it
Result<void> own_dev_folder();

}  // namespace meshdns
