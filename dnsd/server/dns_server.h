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

/// The settings of a server.
struct ServerOptions {
  std::vector<SocketAddress> listen;  // by listener number, as in the answer table; port 0 = any free port
  unsigned workers = 1;               // UDP threads, at least 1
  std::uint64_t seed = 1;             // for the random choice among equal endpoints
  TcpLimits tcp;
  bool tap = false;          // the server has a tap(), which somebody has to empty
  bool steer_by_cpu = true;  // with at least two workers, and at most as many as CPUs
  query::Policy policy;
  std::vector<int> inherited;  // open sockets of the service manager; those bound to a listen address are used
};

/// The sockets and threads that answer DNS over UDP and TCP from the published table. Sees neither the catalog nor the
/// federation.
class DnsServer {
 public:
  /// Binds all addresses and starts the threads.
  /// table and clock: must outlive the server
  /// requires: the table has a value
  /// errors: an address that cannot be bound (the message names the process that has it, if that is visible); no table;
  ///         ResourceExhausted: no threads, descriptors or memory are left
  static Result<std::unique_ptr<DnsServer>> start(const ServerOptions& options, Quiescent<answers::AnswerTable>& table,
                                                  const Clock& clock);
  ~DnsServer();

  /// Returns the pulse: while the control thread does not beat it in time, answers carry EDE 3 (stale).
  /// thread: that of start()
  ControlPulse& pulse() { return pulse_; }
  /// Sets the policy for all further answers.
  /// thread: that of start()
  void set_policy(query::Policy policy);
  /// Returns the means to look at single queries.
  /// thread: that of start()
  Capture& capture() const { return *capture_; }
  /// Returns the tap; null unless the options ask for one.
  /// thread: that of start()
  Tap* tap() const { return tap_.get(); }
  /// Returns what the system refused, in sentences for the log; the server answers all the same.
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Returns the client prefix whose answers were limited last: "198.51.100.0/24"; empty = none so far.
  /// thread: any
  std::string last_limited() const;
  /// Returns the listen addresses with their real ports, in the order of the options. UDP and TCP have the same ports.
  const std::vector<SocketAddress>& bound() const { return bound_; }
  /// Returns whether the service manager has opened the sockets of a listen address.
  bool inherited(std::size_t listener) const { return inherited_[listener]; }
  /// Returns the sums of all counters.
  /// thread: any
  ServerTotals counters() const;
  /// Returns the number of loop rounds of each thread: the UDP workers, then TCP. See StallWatch.
  /// thread: any
  std::vector<std::uint64_t> ticks() const;
  /// Ends and joins all threads, within a fifth of a second. Further calls do nothing.
  void stop();

 private:
  DnsServer(const ServerOptions& options, Quiescent<answers::AnswerTable>& table, const Clock& clock);
  /// Opens the sockets of all listen addresses.
  /// returns: the TCP sockets, by listener; the UDP sockets are in udp_sockets_
  Result<std::vector<Fd>> bind_all(const ServerOptions& options);
  /// errors: ResourceExhausted: no more threads
  Result<void> start_threads();
  /// Lets the kernel give packets to the worker of their CPU.
  void steer_by_cpu();
  /// Returns the limits with at most as many connections as there are descriptors for.
  TcpLimits affordable(TcpLimits limits);

  Quiescent<query::Policy> policy_;
  query::RateLimiter limiter_;
  std::unique_ptr<Capture> capture_ = std::make_unique<Capture>();
  std::unique_ptr<Tap> tap_;
  ControlPulse pulse_;
  ServerEnvironment environment_;
  std::vector<std::string> warnings_;
  std::vector<SocketAddress> bound_;
  std::vector<bool> inherited_;                      // by listener
  std::vector<std::vector<UdpSocket>> udp_sockets_;  // by worker, until the workers own them
  std::vector<std::unique_ptr<UdpWorker>> workers_;
  std::unique_ptr<TcpServer> tcp_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace meshdns::server
