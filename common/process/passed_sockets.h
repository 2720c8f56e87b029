#pragma once

#include <vector>

namespace meshdns::process {

/// The sockets that the service manager has opened for this process, as $LISTEN_PID and $LISTEN_FDS tell. They stay
/// open for as long as the process lives; programs that it starts do not get them.
/// source: sd_listen_fds(3)
std::vector<int> passed_sockets();

}  // namespace meshdns::process
