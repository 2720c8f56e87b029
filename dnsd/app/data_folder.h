#pragma once

#include <string>

namespace meshdns::app {

/// Keeps other users of the machine from what `data_dir` holds: names, addresses and labels of the whole mesh.
///
/// Takes the rights of others from the files that meshdnsd writes there (mode 0600), where an earlier version or a copy
/// has left them more. A folder that others may look into is only warned about: an operator has made it so, and it may
/// be one that others need, such as a volume with a group of its own. A folder that is not there is none of its
/// business.
void guard_data_folder(const std::string& folder);

}  // namespace meshdns::app
