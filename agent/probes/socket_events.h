#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "common/base/result.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Listening TCP sockets of this network namespace as the kernel destroys them (netlink sock_diag, destroy groups): a
/// killed process is known about within milliseconds, without privilege. Closed connections stay in the kernel's
/// filter. Best effort: what it misses, the next check finds.
class SocketEvents {
 public:
  /// Where the listener was bound, the unspecified address (of either family) for any: a listener on :: may have served
  /// IPv4 too. Port 0: events were lost, anything may have closed.
  using Closed = std::function<void(const SocketAddress&)>;

  /// Errors: PermissionDenied, Unimplemented (a kernel without it).
  /// closed: on the loop's thread, until destroyed
  static Result<std::unique_ptr<SocketEvents>> open(process::EventLoop& loop, Closed closed);
  ~SocketEvents();

 private:
  struct State;
  explicit SocketEvents(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// The bound address in one netlink message; nothing if it is about anything but a listener.
std::optional<SocketAddress> destroyed_listener(std::span<const std::byte> message);

}  // namespace meshdns::probes
