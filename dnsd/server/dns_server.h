#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/result.h"
#include "common/net/socket_address.h"
#include "common/published/quiescent.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/server/control_pulse.h"
#include "dnsd/server/counters.h"
#include "dnsd/server/environment.h"
#include "dnsd/server/tcp_connection.h"
#include "dnsd/server/tcp_server.h"
#include "dnsd/server/udp_worker.h"

namespace meshdns::server {

struct ServerOptions {
  std::vector<SocketAddress> listen;  // the index is the listener's number in the answer table; port 0 = any free one
  unsigned workers = 1;               // UDP threads, at least 1
  std::uint64_t seed = 1;             // of the random choice among equal endpoints
  TcpLimits tcp;
  bool tap = false;          // everything is seen by who empties DnsServer::tap()
  bool steer_by_cpu = true;  // with several workers, and no more than CPUs
  query::Policy policy;
  std::vector<int> inherited;  // open sockets of the service manager; one that is bound to a listen address is served
};

/// The sockets and threads that answer DNS over UDP and TCP from the published table.
class DnsServer {
 public:
  /// Binds everything and starts the threads. `table` holds a value already and, like `clock`, outlives the server.
  /// errors: an address that cannot be bound (the message says who holds it, if that can be seen); no table yet;
  ///         ResourceExhausted: threads, descriptors or memory are used up
  static Result<std::unique_ptr<DnsServer>> start(const ServerOptions& options, Quiescent<answers::AnswerTable>& table,
                                                  const Clock& clock);
  ~DnsServer();

  /// While it is not beaten in time, answers carry EDE 3 (stale). thread: that of start()
  ControlPulse& pulse() { return pulse_; }
  /// From now on this policy holds. thread: that of start()
  void set_policy(query::Policy policy);
  /// thread: that of start()
  Capture& capture() const { return *capture_; }
  /// Null unless the options want it. thread: that of start()
  Tap* tap() const { return tap_.get(); }
  /// What could not be had, for people; the server answers all the same.
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// The client prefix whose answers were limited last: "198.51.100.0/24"; empty = none so far. thread: any
  std::string last_limited() const;
  /// The listen addresses with their real ports, in the order of the options; UDP and TCP have the same.
  const std::vector<SocketAddress>& bound() const { return bound_; }
  /// Whether the service manager has opened the socket of this listen address.
  bool inherited(std::size_t listener) const { return inherited_[listener]; }
  /// thread: any
  ServerTotals counters() const;
  /// How often each thread has gone round its loop: the UDP workers, then TCP. thread: any
  std::vector<std::uint64_t> ticks() const;
  /// Ends and joins all threads; within a fifth of a second. Later calls do nothing.
  void stop();

 private:
  DnsServer(const ServerOptions& options, Quiescent<answers::AnswerTable>& table, const Clock& clock);
  Result<std::vector<Fd>> bind_all(const ServerOptions& options);
  /// errors: ResourceExhausted: the system gives no more
  Result<void> start_threads();
  void steer_by_cpu();
  /// So many connections as there are descriptors for
  TcpLimits affordable(TcpLimits limits);

  Quiescent<query::Policy> policy_;
  query::RateLimiter limiter_;
  std::unique_ptr<Capture> capture_ = std::make_unique<Capture>();
  std::unique_ptr<Tap> tap_;
  ControlPulse pulse_;
  Environment environment_;
  std::vector<std::string> warnings_;
  std::vector<SocketAddress> bound_;
  std::vector<bool> inherited_;                      // by listener
  std::vector<std::vector<UdpSocket>> udp_sockets_;  // by worker, until the workers take them
  std::vector<std::unique_ptr<UdpWorker>> workers_;
  std::unique_ptr<TcpServer> tcp_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace meshdns::server
