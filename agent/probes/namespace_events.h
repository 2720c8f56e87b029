#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/probes/listeners.h"
#include "common/net/ip_address.h"
#include "common/process/event_loop.h"
#include "common/time/time.h"

namespace meshdns::probes {

/// Reports sockets of servers that are destroyed or appear in other network namespaces of this machine, as SocketEvents
/// and Listeners do for the agent's own: those of containers and pods.
///
/// How it works: a thread that lives for one look finds the namespaces that have addresses of endpoints
/// (namespace_look) and opens netlink sockets in each. The sockets are read on the loop:
///
///   watch(addresses) -> NamespaceTable -> look thread -> Look -> SocketEvents of each namespace -> closed
///                          |                                     Listeners of each namespace    -> appeared
///                          ^-- pidfd of a process in each namespace: has it ended?
///
/// An open socket keeps its namespace alive. So a pidfd tells when the process by which the namespace was found has
/// ended: then the next look finds another process there, or the namespace is let go. Addresses of a namespace that has
/// ended are reported as closed, with port 0.
///
/// Best effort, as SocketEvents: between the start of a container and the look that finds it, checks find its death.
/// thread: the loop's
class NamespaceEvents {
 public:
  /// Gets an address of watch() and the port of a socket that was bound to it or to all addresses. Port 0: any socket
  /// at the address may have closed.
  using Closed = std::function<void(const SocketAddress&)>;

  /// Expected ports by the address of their endpoint.
  using Expected = std::map<IpAddress, std::set<ExpectedPort>>;

  /// Called on the loop's thread.
  struct Calls {
    Closed closed;
    Closed appeared;                // likewise of a socket that has appeared; the port is never 0
    std::function<void()> changed;  // state() may have changed
  };
  struct Options {
    std::size_t most = 512;      // namespaces; each has three descriptors
    Duration least_gap = 100ms;  // between two looks
    int rest = 10;               // so many times as long as a look takes is the gap, if that is more
  };

  /// What status and metrics show.
  struct State {
    std::string denied;         // why nothing is watched: "CAP_SYS_ADMIN is missing"; empty = it is permitted
    std::size_t watched = 0;    // namespaces
    std::size_t unwatched = 0;  // namespaces that should be watched and are not, by the last look
    std::string unwatched_why;
    std::size_t missing = 0;  // addresses that are in no namespace that was looked at

    friend bool operator==(const State&, const State&) = default;
  };

  /// loop, clock: must outlive this
  NamespaceEvents(process::EventLoop& loop, const Clock& clock, Calls calls, Options options);
  /// Waits for a look that runs, at most some milliseconds.
  ~NamespaceEvents();
  NamespaceEvents(const NamespaceEvents&) = delete;
  NamespaceEvents& operator=(const NamespaceEvents&) = delete;

  /// Replaces what is watched. Addresses of the agent's own namespace cost nothing.
  /// udp_ports: the UDP ports that count, see SocketEvents::watch_udp()
  void watch(std::set<IpAddress> addresses, std::set<std::uint16_t> udp_ports);
  /// Replaces the ports at which sockets are expected to appear. Namespaces without such a port cost nothing.
  void expect(Expected ports);
  State state() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace meshdns::probes
