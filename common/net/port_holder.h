#pragma once

#include <cstdint>
#include <string>

#include "common/net/socket_address.h"

namespace meshdns {

enum class Protocol : std::uint8_t { Udp, Tcp };

/// Returns the process whose socket keeps this address from being bound: "systemd-resolve (pid 512)". A socket counts
/// if it has the protocol and port, and the same address or a wildcard address. Reads /proc; if another user's process
/// cannot be inspected, the text is "a process of uid 101". Empty = no process is found.
std::string port_holder(const SocketAddress& address, Protocol protocol);

/// Returns ", held by systemd-resolve (pid 512)" for the end of an error message, if `error` (an errno) is EADDRINUSE
/// and the process is found; otherwise "".
std::string held_by(int error, const SocketAddress& address, Protocol protocol);

}  // namespace meshdns
