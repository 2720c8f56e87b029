#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/net/socket_address.h"

namespace meshdns::rpc {

/// Parses the name that gRPC 1.51 gives to a peer: "ipv4:127.0.0.1:4711", "ipv6:%5Bfe80::1%25eth0%5D:4711".
/// returns: nothing for a unix socket
std::optional<SocketAddress> peer_named(std::string_view name);

/// Returns such a name for people: "127.0.0.1:4711", "[fe80::1]:4711"; "unix" for a unix socket.
std::string peer_text(std::string_view name);

}  // namespace meshdns::rpc
