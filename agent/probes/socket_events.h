#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>

#include "common/base/result.h"
#include "common/net/fd.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Reports each server's socket of one network namespace that the kernel destroys, so that the death of a process is
/// known within milliseconds: TCP listeners, and UDP sockets at the ports that watch_udp() names. Listens to netlink
/// sock_diag (destroy groups), which needs no privilege. A socket filter in the kernel drops the events of connections
/// and of clients. Best effort: a missed event is found by the next check.
class SocketEvents {
 public:
  /// Gets the address and port that the socket was bound to. The unspecified address of either family means any
  /// address: a socket on :: may have served IPv4 too. Port 0: events were lost, so any socket may have closed.
  using Closed = std::function<void(const SocketAddress&)>;

  /// Opens a netlink socket in the network namespace of the calling thread, for listen().
  /// thread: any
  /// errors: PermissionDenied; ResourceExhausted: no descriptor is left; Unimplemented: the kernel has no such events
  static Result<Fd> connect();
  /// Starts to report what a socket of connect() gets. `loop` must outlive the result.
  /// closed: called on the loop's thread, until the result is destroyed; it may destroy the result
  static std::unique_ptr<SocketEvents> listen(process::EventLoop& loop, Fd connection, Closed closed);
  /// Does both, in the network namespace of this thread.
  static Result<std::unique_ptr<SocketEvents>> open(process::EventLoop& loop, Closed closed);
  ~SocketEvents();

  /// Reports the UDP sockets at these ports from now on, besides TCP. Without ports the kernel makes no messages about
  /// UDP sockets: those of a busy host's clients cost nothing.
  /// errors: as of connect(). What was reported before is then still reported
  Result<void> watch_udp(const std::set<std::uint16_t>& ports);

 private:
  struct State;
  explicit SocketEvents(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
