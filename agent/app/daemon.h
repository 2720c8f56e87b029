#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/admin/agent.h"
#include "agent/app/configuration.h"
#include "agent/app/container_source.h"
#include "agent/app/departure.h"
#include "agent/app/kernel_events.h"
#include "agent/app/kubernetes_source.h"
#include "agent/app/local_commands.h"
#include "agent/app/local_state.h"
#include "agent/app/measurer.h"
#include "agent/app/monitor.h"
#include "agent/app/port_mapping.h"
#include "agent/app/troubles.h"
#include "agent/probes/grpc_channels.h"
#include "agent/probes/program_rules.h"
#include "agent/probes/tls_client.h"
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
///   Sources, KubernetesSource -> Monitor (HealthMachine, Probe) -> Drains -> PortMapping -> Syncer -> GrpcReporter
///      ^                          ^-- KernelEvents   ^-- Pushes      ^                        ^-- Measurer
///      '--- LocalCommands ---------------------------'---------------'
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
  int exit_code() const { return departure_.exit_code(); }

  v1::AgentStatus status() override;
  std::string unready() override;
  std::string metrics() override { return registry_.text(); }
  admin::Leaving leave() override;

 private:
  Result<void> listen();
  void follow_pods();
  void follow_containers();
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
  /// Returns one line for the service manager: "3 endpoints, federation 10.0.9.1:7400".
  std::string service_status() const;

  process::EventLoop& loop_;
  const Clock& clock_;
  Configuration configuration_;
  std::string path_;
  metrics::Registry registry_;
  metrics::Counter& failed_reloads_;
  metrics::Gauge& last_load_;
  probes::ProgramRules programs_;
  probes::UnitStates units_;
  report::Syncer syncer_;
  report::GrpcReporter reporter_;
  probes::TlsClient tls_;
  probes::GrpcChannels grpc_{loop_};  // of the checks
  PortMapping mapping_;
  LocalState local_;
  KernelEvents events_;
  Monitor monitor_;
  Measurer measurer_;
  LocalCommands commands_;
  Departure departure_;
  std::unique_ptr<KubernetesSource> pods_;      // null = pods are not followed
  ContainerSource* containers_ = nullptr;       // one of local_.sources; null = containers are not followed
  std::optional<membership::Renewal> renewal_;  // of a certificate that a token has brought
  std::optional<IpAddress> federation_;         // the address of the last connection or attempt; nothing = this machine
  bool without_address_ = false;                // the log has said that this machine has no address
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<http::Server> socket_;
  process::ServiceNotify service_;
  std::optional<TimerId> refresh_timer_;
  std::optional<rpc::TlsWatch> tls_watch_;
  std::vector<std::string> restart_needed_;  // keys whose value in the file differs from the running one
  TroubleLog trouble_log_;
  std::string reload_problem_;  // the first problem of the last reload; empty = it succeeded
  bool ready_ = false;
};

}  // namespace meshdns::agent::app
