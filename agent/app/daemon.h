#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/admin/agent.h"
#include "agent/app/configuration.h"
#include "agent/app/kubernetes_source.h"
#include "agent/app/measurer.h"
#include "agent/app/monitor.h"
#include "agent/app/troubles.h"
#include "agent/discovery/static_source.h"
#include "agent/probes/address_events.h"
#include "agent/probes/program_rules.h"
#include "agent/probes/push_board.h"
#include "agent/probes/socket_events.h"
#include "agent/probes/unit_states.h"
#include "agent/report/grpc_reporter.h"
#include "common/http/server.h"
#include "common/membership/renewal.h"
#include "common/metrics/registry.h"
#include "common/process/event_loop.h"
#include "common/process/service_notify.h"
#include "common/rpc/tls_watch.h"

namespace meshdns::agent::app {

/// A whole agent on one event loop: starts the parts, connects them, reloads, and stops them in order. Contains no
/// logic of health or reporting: that is the parts'.
///
///   StaticSource, KubernetesSource -> Monitor (HealthMachine, Probe) -> Syncer -> GrpcReporter
///                                        ^-- SocketEvents                 ^-- Measurer
/// thread: the loop's
class Daemon : public admin::Agent {
 public:
  /// loop and clock must outlive the daemon.
  /// path: the configuration file's, for reloads; empty = there is no file (--dev)
  Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path);
  ~Daemon() override;

  /// Binds the admin ports, reads endpoints.d, and starts to check and report.
  /// errors: the first port or socket that cannot be bound
  Result<void> start();
  /// Reads the configuration and endpoints.d again. A wrong configuration changes nothing; keys that need a restart are
  /// logged and shown in the status.
  void reload();
  /// Ends the session, then stops the loop. The node's records stay in the federation, except with leave_on_stop.
  void stop();
  /// The exit code of the process, after the loop has ended.
  int exit_code() const { return exit_code_; }

  v1::AgentStatus status() override;
  std::string unready() override;
  std::string metrics() override { return registry_.text(); }
  admin::Leaving leave() override;

 private:
  Result<void> listen();
  void open_socket_events();
  void open_address_events();
  void follow_pods();
  /// Returns the node with what Kubernetes says of it.
  model::Node described() const;
  /// Measures what the federation asks for, as far as an agent may.
  void measure(const std::vector<report::MeasureTarget>& targets);
  /// Returns the node as reported to a federation at that address, with the addresses that the machine has now on the
  /// way there.
  Result<model::Node> node_for(const std::optional<IpAddress>& federation);
  /// Whether node_for() depends on the federation's address.
  bool must_know_federation() const;
  void follow_addresses();
  void set_addresses(const std::vector<IpAddress>& addresses);
  void refresh_every_second();
  void take_listing();
  /// returns: false = nothing was applied
  bool apply(const Configuration& next);
  void reload_failed(std::string_view problems);
  void end_leaving(const std::string& server);
  /// Returns one line for the service manager: "3 endpoints, federation 10.0.9.1:7400".
  std::string service_status() const;

  process::EventLoop& loop_;
  const Clock& clock_;
  Configuration configuration_;
  std::string path_;
  metrics::Registry registry_;
  metrics::Counter& socket_events_count_;
  metrics::Counter& failed_reloads_;
  metrics::Gauge& last_load_;
  probes::ProgramRules programs_;
  probes::UnitStates units_;
  report::Syncer syncer_;
  report::GrpcReporter reporter_;
  probes::PushBoard pushes_;
  Monitor monitor_;
  Measurer measurer_;
  std::unique_ptr<discovery::StaticSource> source_;
  std::unique_ptr<KubernetesSource> pods_;  // null = pods are not followed
  std::unique_ptr<probes::SocketEvents> socket_events_;
  std::unique_ptr<probes::AddressEvents> address_events_;
  std::optional<membership::Renewal> renewal_;  // of a certificate that a token has brought
  std::optional<IpAddress> federation_;         // the address of the last connection or attempt; nothing = this machine
  bool without_address_ = false;                // the log has said that this machine has no address
  std::size_t forbidden_targets_ = 0;           // of the last ones that the federation sent
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<http::Server> socket_;
  process::ServiceNotify service_;
  std::optional<TimerId> refresh_timer_;
  std::optional<rpc::TlsWatch> tls_watch_;
  std::optional<admin::Leaving> leaving_;
  std::vector<std::string> restart_needed_;  // keys whose value in the file differs from the running one
  TroubleLog trouble_log_;
  std::string reload_problem_;  // the first problem of the last reload; empty = it succeeded
  bool ready_ = false;
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace meshdns::agent::app
