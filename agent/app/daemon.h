#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/admin/agent.h"
#include "agent/app/configuration.h"
#include "agent/app/measurer.h"
#include "agent/app/monitor.h"
#include "agent/discovery/static_source.h"
#include "agent/probes/address_events.h"
#include "agent/probes/socket_events.h"
#include "agent/report/grpc_reporter.h"
#include "common/http/server.h"
#include "common/metrics/registry.h"
#include "common/process/event_loop.h"
#include "common/process/service_notify.h"
#include "common/rpc/tls_watch.h"

namespace meshdns::app {

/// A whole agent on one event loop: brings the parts up, reloads, and takes them down in order.
///
///   StaticSource -> Monitor (HealthMachine, Probe) -> Syncer -> GrpcReporter
///                      ^-- SocketEvents    ^-- Measurer
/// thread: the loop's
class Daemon : public admin::Agent {
 public:
  /// path: of the configuration file, for reloads; empty = there is none (--dev)
  Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path);
  ~Daemon() override;

  /// errors: the first thing that cannot be bound
  Result<void> start();
  /// Reads configuration and endpoints.d again. What is wrong leaves everything as it is; what needs a restart is told.
  void reload();
  /// Says goodbye to the federation, then stops the loop. The records stay unless leave_on_stop.
  void stop();
  /// Of the process, when the loop has ended.
  int exit_code() const { return exit_code_; }

  v1::AgentStatus status() override;
  std::string unready() override;
  std::string metrics() override { return registry_.text(); }
  admin::Leaving leave() override;

 private:
  Result<void> listen();
  void open_socket_events();
  void open_address_events();
  /// The node as a federation there is told, with the addresses that the machine has on the way to it now.
  Result<model::Node> node_for(const std::optional<IpAddress>& federation);
  /// What the federation may be told depends on where it is.
  bool must_know_federation() const;
  void follow_addresses();
  void set_addresses(const std::vector<IpAddress>& addresses);
  void refresh_every_second();
  void take_listing();
  /// false: nothing was applied
  bool apply(const Configuration& next);
  void reload_failed(std::string_view problems);
  void end_leaving(const std::string& server);
  /// What the agent itself lacks, a line each: "2 checks say nothing: out of file descriptors".
  std::vector<std::string> troubles() const;
  /// Logs both edges.
  void tell_of_troubles();
  /// One line for the service manager: "3 endpoints, federation 10.0.9.1:7400".
  std::string service_status() const;

  process::EventLoop& loop_;
  const Clock& clock_;
  Configuration configuration_;
  std::string path_;
  metrics::Registry registry_;
  metrics::Counter& socket_events_count_;
  metrics::Counter& failed_reloads_;
  metrics::Gauge& last_load_;
  report::Syncer syncer_;
  report::GrpcReporter reporter_;
  Monitor monitor_;
  Measurer measurer_;
  std::unique_ptr<discovery::StaticSource> source_;
  std::unique_ptr<probes::SocketEvents> socket_events_;
  std::unique_ptr<probes::AddressEvents> address_events_;
  std::optional<IpAddress> federation_;  // where the last connection to it ended, or was tried; nothing = here
  bool without_address_ = false;         // the log has said so
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<http::Server> socket_;
  process::ServiceNotify service_;
  std::optional<TimerId> refresh_timer_;
  std::optional<rpc::TlsWatch> tls_watch_;
  std::optional<admin::Leaving> leaving_;
  std::vector<std::string> restart_needed_;  // keys whose value in the file is not the one that runs
  std::vector<std::string> told_troubles_;
  std::string reload_problem_;  // the first line of what was wrong at the last reload
  bool ready_ = false;
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace meshdns::app
