#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/app/watched_sockets.h"
#include "agent/probes/address_events.h"
#include "agent/probes/listeners.h"
#include "agent/probes/namespace_events.h"
#include "agent/probes/socket_events.h"
#include "common/metrics/registry.h"
#include "common/model/endpoint.h"
#include "common/process/event_loop.h"
#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::agent::app {

/// Everything that the kernel reports to an agent at once, so that nothing waits for the interval of a check:
///
///   SocketEvents      a server's socket of this network namespace is gone      -> Calls::closed
///   NamespaceEvents   both in the namespaces of containers and pods            -> Calls::closed, opened
///   Listeners         a pending endpoint's port has a socket now               -> Calls::opened
///   AddressEvents     the machine's addresses or routes have changed           -> Calls::addresses_changed
///
/// Each may be impossible on a machine. Then checks go on, and log, metrics and status say why.
/// thread: the loop's
class KernelEvents {
 public:
  struct Calls {
    /// Gets where the socket was bound, as Monitor::closed().
    /// returns: the number of endpoints behind it
    std::function<std::size_t(const SocketAddress&)> closed;
    std::function<std::size_t(const SocketAddress&)> opened;  // likewise, Monitor::opened()
    std::function<void()> addresses_changed;
  };
  struct Options {
    bool namespaces = true;  // whether NamespaceEvents is used
    bool addresses = false;  // whether AddressEvents is
  };

  /// loop, clock, registry: must outlive this
  KernelEvents(process::EventLoop& loop, const Clock& clock, metrics::Registry& registry, Calls calls);
  ~KernelEvents();
  KernelEvents(const KernelEvents&) = delete;
  KernelEvents& operator=(const KernelEvents&) = delete;

  /// Starts to listen; the log says what is possible.
  void open(Options options);
  /// Takes the node's endpoints and pods, after each change of them.
  void follow(const std::vector<discovery::Discovered>& listed, const std::vector<discovery::PodEndpoint>& pods);
  /// Takes an endpoint as it was reported: the ports of a pending one are expected to be opened.
  void told(const model::Endpoint& endpoint);
  void removed(const std::string& key);

  void collect(std::vector<metrics::Sample>& out) const;
  /// Appends what is on and what is off to the status.
  void add_to(v1::AgentStatus& status) const;

 private:
  struct Pending {
    std::vector<IpAddress> addresses;
    std::set<probes::ExpectedPort> ports;
  };

  void open_sockets();
  void open_namespaces();
  void open_addresses();
  void closed(const SocketAddress& where);
  void appeared(const SocketAddress& where);
  void expect_soon();
  void look_at_namespaces();
  void look_at_udp(const Result<void>& watched);
  void look_at_listeners();

  process::EventLoop& loop_;
  const Clock& clock_;
  Calls calls_;
  Options options_;
  metrics::Counter& closed_count_;
  metrics::Counter& appeared_count_;
  std::unique_ptr<probes::SocketEvents> sockets_;
  std::unique_ptr<probes::NamespaceEvents> namespaces_;
  std::unique_ptr<probes::AddressEvents> addresses_;
  std::unique_ptr<probes::Listeners> listeners_;
  std::map<std::string, Pending> pending_;  // by key of the endpoint
  std::optional<TimerId> expect_timer_;
  // why something is off; empty = it is on. The log has said it.
  std::string sockets_off_, addresses_off_, udp_off_, namespaces_off_, unwatched_, listeners_off_;
  bool namespaces_told_ = false;  // the log has said that they are on
};

}  // namespace meshdns::agent::app
