#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/net/port_holder.h"
#include "common/net/socket_address.h"

namespace meshdns::probes {

/// Returns the request that makes the kernel list all servers' sockets of one family and protocol: TCP listeners, or
/// bound UDP sockets that are connected to nobody.
/// sequence: comes back in each message of the answer
/// source:   sock_diag(7): inet_diag_req_v2
std::vector<std::byte> dump_request(Family family, Protocol protocol, std::uint32_t sequence);

/// What one read of the answer has.
struct DumpPart {
  std::vector<SocketAddress> sockets;  // where they are bound; the unspecified address = any
  bool done = false;                   // the answer has ended
  int error = 0;                       // an errno; the answer has ended then too
};

/// Reads what one recv() of the answer gave. Messages of other requests and parts of messages are ignored.
DumpPart read_dump(std::span<const std::byte> bytes, std::uint32_t sequence);

}  // namespace meshdns::probes
