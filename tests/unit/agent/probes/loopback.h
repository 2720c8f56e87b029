#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "agent/probes/probe.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// A TCP socket on 127.0.0.1 (or ::1, or any address), closed at the end of its life.
class LoopbackSocket {
 public:
  explicit LoopbackSocket(const char* ip = "127.0.0.1", int backlog = 16)
      : v6_(std::string_view(ip).find(':') != std::string_view::npos) {
    descriptor_ = socket(v6_ ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    if (!v6_) v4.sin_family = AF_INET;
    inet_pton(v6_ ? AF_INET6 : AF_INET, ip, v6_ ? static_cast<void*>(&address.sin6_addr) : &v4.sin_addr);
    bound_ = bind(descriptor_, reinterpret_cast<sockaddr*>(&address), v6_ ? sizeof address : sizeof v4) == 0;
    if (bound_ && backlog >= 0) listen(descriptor_, backlog);
  }
  LoopbackSocket(LoopbackSocket&& other) noexcept
      : v6_(other.v6_), bound_(other.bound_), descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~LoopbackSocket() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  bool bound() const { return bound_; }
  int descriptor() const { return descriptor_; }
  std::uint16_t port() const {
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin6_port);  // at the same place in sockaddr_in
  }
  SocketAddress address() const { return {IpAddress::parse(v6_ ? "::1" : "127.0.0.1").value(), port()}; }

 private:
  bool v6_;
  bool bound_ = false;
  int descriptor_ = -1;
};

/// Runs the loop until the probe is done.
inline health::ProbeResult run_probe(process::EventLoop& loop, Probe& probe, Duration timeout = 20s) {
  std::optional<health::ProbeResult> got;
  probe.run(timeout, [&](health::ProbeResult result) {
    got = std::move(result);
    loop.stop();
  });
  loop.run();
  loop.restart();
  return *got;
}

}  // namespace meshdns::probes
