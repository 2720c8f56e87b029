#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/server.h"
#include "common/log/audit.h"
#include "common/metrics/registry.h"
#include "common/process/event_loop.h"
#include "dnsd/admin/admin_service.h"
#include "dnsd/app/certificate_service.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/dns_service.h"
#include "dnsd/app/event_log.h"
#include "dnsd/app/followed_forwarders.h"
#include "dnsd/app/hostname_service.h"
#include "dnsd/app/leased_role.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/mesh_view.h"
#include "dnsd/app/override_rounds.h"
#include "dnsd/app/record_changes.h"
#include "dnsd/app/record_source.h"
#include "dnsd/app/service_report.h"
#include "dnsd/app/serving.h"
#include "dnsd/snapshot_file/warm_start.h"
#include "dnsd/snapshot_file/worker_thread.h"

namespace meshdns::dnsd::app {

/// A whole meshdnsd on one event loop: owns the roles, starts and ends them in order, and reloads the configuration. It
/// only wires: what a role does is in that role.
///
/// How it works: each process has one RecordSource, by its configuration, and the roles that every process has. start()
/// goes one of three ways, so that DNS is served as early as something true can be answered.
///
///   all:              kept answers, if they match -> DNS
///   start_origin():   a FileRole's file, or a FederationRole's port and store -> agents and replicas
///                     -> [store lost, and no snapshot: wait for the end of the recovery] -> DNS -> hostnames -> admin
///   start_standby():  admin -> the lease -> kept answers and start_origin() as above, without admin
///   start_replica():  admin -> snapshot -> DNS -> federation; without a snapshot: first set from a federation -> DNS
///
/// stop() ends the sessions with peers on this thread, then the servers on the ending thread, then the loop. The
/// destructor ends the rest in the reverse order of the members: a member may refer to those that are declared before
/// it.
/// thread: the loop's
class Daemon {
 public:
  /// `loop` and `clock` must outlive the daemon.
  /// path: of the configuration file, for reloads; empty = there is none (--dev)
  Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path);
  ~Daemon();

  /// Starts all roles.
  /// errors: the first one, for example an address that cannot be bound; InvalidArgument for a wrong endpoints file
  Result<void> start();
  /// Notes that the start is over, as far as it needs no loop. The service manager hears of it when DNS is served, or
  /// now if it is not known when that will be.
  void started();
  /// Reads the configuration file again. A file with errors changes nothing. Changes that need a restart are logged and
  /// do not take effect.
  void reload();
  /// Stops all roles in the background, then the loop.
  void stop();

  const Configuration& configuration() const { return configuration_; }
  /// Whether the daemon stopped because something failed after the start.
  bool failed() const { return failed_; }

 private:
  /// Tells the service manager once that the start is over.
  void tell_of_start();
  /// Returns the source of records that the configuration names.
  std::unique_ptr<RecordSource> make_source();
  /// `configuration` must outlive the options.
  static snapshot_file::WarmStart::Options warm_start_options(const Configuration& configuration);
  /// Starts what needs no record: the ending thread, the bounds, the watch over TLS files.
  Result<void> prepare();
  /// Raises the limit of open files, and divides the descriptors between DNS and federation.
  void budget_descriptors();
  /// Starts a process whose records have their origin here.
  Result<void> start_origin();
  /// Waits for the lease as a standby.
  Result<void> start_standby();
  /// Becomes the leading federation. The process ends if that fails.
  void lead();
  /// Serves DNS from the snapshot file, or later, when a federation has sent the first records.
  Result<void> start_replica();
  Result<void> start_admin();
  /// Informs the parts that a change of the catalog concerns. Cheap if the catalog has not changed.
  void records_changed();
  void wire_record_changes();
  /// Publishes records that came from peers, and begins to serve DNS with the first ones.
  void serve_first_records();
  /// Logs when records are refused because there are too many, and when that is over.
  void tell_of_room();
  void reload_failed(std::string_view problems);
  void collect(std::vector<metrics::Sample>& out) const;
  void end_servers();

  process::EventLoop& loop_;
  const Clock& clock_;
  Configuration configuration_;
  std::string path_;
  ProcessState process_;
  metrics::Registry registry_;
  metrics::Counter& failed_reloads_;
  metrics::Gauge& last_load_;

  // ---- the mesh ----
  catalog::Catalog catalog_;
  log::Audit audit_;
  RecordChanges changes_;
  persistence::Objects objects_;
  publish::Publisher publisher_;
  RecordCounts counts_;
  LintNames lint_names_;
  const MeshState mesh_;
  EventLog events_;
  snapshot_file::WarmStart warm_start_;

  // ---- the roles ----
  DescriptorBudget budget_;  // made at the start
  CertificateService certificates_;
  DnsService dns_;
  LeasedRole* leased_ = nullptr;  // source_, if a lease decides who leads
  std::unique_ptr<RecordSource> source_;
  HostnameService hostnames_;
  FollowedForwarders forwarders_;
  const std::vector<Role*> roles_;  // in the order in which they reload and end

  // ---- what operators and the service manager see ----
  Serving serving_;
  MeshView view_;
  ServiceReport service_;
  OverrideRounds override_rounds_;
  std::unique_ptr<admin::AdminService> admin_;
  std::unique_ptr<http::Server> http_;

  bool stopping_ = false;
  bool failed_ = false;
  bool started_ = false;
  bool start_told_ = false;                            // to the service manager
  bool full_ = false;                                  // that records are refused is logged
  std::optional<snapshot_file::WorkerThread> ending_;  // made at the start: later the system may give no thread
};

}  // namespace meshdns::dnsd::app
