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

/// Reports each listening TCP socket of this network namespace that the kernel destroys, so that the death of a process
/// is known within milliseconds. Listens to netlink sock_diag (destroy groups), which needs no privilege. A socket
/// filter in the kernel drops the events of connections. Best effort: a missed event is found by the next check.
class SocketEvents {
 public:
  /// Gets the address and port that the listener was bound to. The unspecified address of either family means any
  /// address: a listener on :: may have served IPv4 too. Port 0: events were lost, so any listener may have closed.
  using Closed = std::function<void(const SocketAddress&)>;

  /// Starts to listen. `loop` must outlive the result.
  /// closed: called on the loop's thread, until the result is destroyed
  /// errors: PermissionDenied; Unimplemented: the kernel has no such events
  static Result<std::unique_ptr<SocketEvents>> open(process::EventLoop& loop, Closed closed);
  ~SocketEvents();

 private:
  struct State;
  explicit SocketEvents(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// Returns the bound address in one netlink message; nothing = the message is not about a listener.
std::optional<SocketAddress> destroyed_listener(std::span<const std::byte> message);

}  // namespace meshdns::probes
