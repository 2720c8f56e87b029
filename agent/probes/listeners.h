#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "common/base/result.h"
#include "common/net/fd.h"
#include "common/net/port_holder.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// A port at which an endpoint is expected to begin to listen.
struct ExpectedPort {
  Protocol protocol = Protocol::Tcp;
  std::uint16_t number = 0;

  friend auto operator<=>(const ExpectedPort&, const ExpectedPort&) = default;
};

/// Reports each server's socket that appears at an expected port of one network namespace. The kernel has no event for
/// that, so its list of sockets (netlink sock_diag) is read every kInterval while a port is expected. Nothing is read
/// while none is. The first list after a port was added only shows what is there already.
/// thread: the loop's
class Listeners {
 public:
  static constexpr Duration kInterval = 1s;
  /// Gets the address and port that the socket is bound to; the unspecified address of either family = any.
  using Appeared = std::function<void(const SocketAddress&)>;

  /// Opens a netlink socket in the network namespace of the calling thread.
  /// thread: any
  /// errors: PermissionDenied, ResourceExhausted, Unimplemented
  static Result<Fd> connect();

  /// loop:   must outlive this
  /// listed: called after each list, whether it could be read or not
  /// from:   of connect(), in another namespace; nothing = the thread's own, and no descriptor is open between two
  /// lists
  Listeners(process::EventLoop& loop, Appeared appeared, std::function<void()> listed, Duration interval = kInterval,
            Fd from = Fd());
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  /// Replaces the expected ports. With a port that is new, the list is read at once.
  void expect(std::set<ExpectedPort> ports);
  /// Returns why the last list could not be read; empty = it could.
  const std::string& problem() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
