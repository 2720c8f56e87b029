#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "agent/mapping/judge.h"
#include "common/base/result.h"

namespace meshdns::mapping {

/// Returns the addresses of all interfaces, and the sockets that listen, of this network namespace. Asks the kernel by
/// netlink sock_diag for listening TCP sockets and for UDP sockets without a peer, so that connections cost nothing; no
/// privilege is needed.
/// errors: Unavailable: the kernel does not answer
Result<Facts> look_at_machine();

/// Adds the listeners in a datagram of a sock_diag dump.
/// protocol: that was asked for
/// returns:  whether more datagrams follow; InvalidArgument or Unavailable: the dump has failed
Result<bool> add_listeners(std::span<const std::byte> datagram, Protocol protocol, std::vector<Listener>& out);

}  // namespace meshdns::mapping
