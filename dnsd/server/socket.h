#pragma once

#include <cstdint>

#include "common/base/result.h"
#include "common/net/fd.h"
#include "common/net/kernel_address.h"
#include "common/net/socket_address.h"

namespace meshdns::server {

/// The clients that reach a socket bound to [::]: those of both families, or only those of IPv6, because IPv4 has a
/// socket of its own.
enum class Families : std::uint8_t { Both, V6Only };

/// Opens the UDP socket of one worker. The first socket of an address is exclusive while it binds, so that no second
/// server shares the port unnoticed; `shared` sockets join it. The socket is blocking, with a limit of
/// kReceiveTimeoutMs, so that its thread notices the end of the server.
Result<Fd> open_udp(const SocketAddress& address, bool shared, Families families = Families::Both);

/// Lets the kernel choose a socket by CPU: a datagram goes to the socket whose number (in the order of binding) is that
/// of the receiving CPU modulo `sockets`, so that packet, socket and thread stay on one CPU. One call is for the whole
/// group.
/// returns: false = the kernel refused, and chooses by a hash as before
bool steer_by_cpu(const Fd& socket, unsigned sockets);

/// Opens a listening TCP socket, non-blocking.
Result<Fd> open_tcp(const SocketAddress& address, Families families = Families::Both);

/// Sets buffer size, time limit and path MTU of a socket as open_udp() does. Ignores what the kernel refuses.
void tune_udp(const Fd& socket, const SocketAddress& address);
/// Sets the options of a listening TCP socket as open_tcp() does.
void tune_tcp(const Fd& socket);

/// Returns the address that a socket is bound to, with the real port.
SocketAddress bound_address(const Fd& socket);

inline constexpr int kReceiveTimeoutMs = 100;

}  // namespace meshdns::server
