#pragma once

#include <cstdint>
#include <string>

#include "common/net/socket_address.h"

namespace meshdns {

enum class Protocol : std::uint8_t { Udp, Tcp };

/// Names the process whose socket keeps this address from being bound: "systemd-resolve (pid 512)". A socket counts if
/// it has the protocol and port, and the same address or a wildcard. Read from /proc: where another user's process may
/// not be looked into, the text is "a process of uid 101". Empty = nobody is found.
std::string port_holder(const SocketAddress& address, Protocol protocol);

/// ", held by systemd-resolve (pid 512)" where `error` (an errno) is EADDRINUSE and somebody is found, else nothing.
std::string held_by(int error, const SocketAddress& address, Protocol protocol);

}  // namespace meshdns
