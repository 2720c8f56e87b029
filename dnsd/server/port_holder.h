#pragma once

#include <cstdint>
#include <string>

namespace meshdns::server {

/// Who holds a UDP or TCP port, for the message of a failed bind: "systemd-resolve (pid 512)". From /proc, so other
/// users' processes may stay unseen: empty if nobody is found.
std::string port_holder(std::uint16_t port);

}  // namespace meshdns::server
