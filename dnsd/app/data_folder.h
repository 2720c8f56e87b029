#pragma once

#include <string>

namespace meshdns::dnsd::app {

/// Keeps other users of the machine from reading the files in `data_dir`, which hold names, addresses and labels of the
/// whole mesh.
///
/// Removes the rights of group and others from the files that meshdnsd writes there (mode 0600), in case an earlier
/// version or a copy has left more rights. A folder that others may enter is only logged: an operator has made it so,
/// and others may need it, such as a volume with a group of its own. Does nothing if there is no such folder.
void guard_data_folder(const std::string& folder);

}  // namespace meshdns::dnsd::app
