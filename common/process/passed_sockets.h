#pragma once

#include <vector>

namespace meshdns::process {

/// Returns the descriptors of the sockets that the service manager has opened for this process, from $LISTEN_PID and
/// $LISTEN_FDS. They stay open as long as the process lives, and are not inherited by programs that it starts.
/// source: sd_listen_fds(3)
std::vector<int> passed_sockets();

}  // namespace meshdns::process
