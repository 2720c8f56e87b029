#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/http/server.h"
#include "common/log/reminder.h"
#include "common/metrics/registry.h"
#include "common/process/event_loop.h"
#include "common/resolve/resolver.h"
#include "common/rpc/tls_watch.h"
#include "dnsd/admin/admin_service.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/event_log.h"
#include "dnsd/app/local_overrides.h"
#include "dnsd/app/mesh_file.h"
#include "dnsd/app/mesh_view.h"
#include "dnsd/app/override_rounds.h"
#include "dnsd/app/rate_limit_watch.h"
#include "dnsd/app/record_changes.h"
#include "dnsd/app/replica.h"
#include "dnsd/app/service_report.h"
#include "dnsd/external/external_names.h"
#include "dnsd/federation/federation_service.h"
#include "dnsd/persistence/persistence.h"
#include "dnsd/publish/freshness.h"
#include "dnsd/snapshot_file/snapshot_keeper.h"
#include "dnsd/snapshot_file/warm_start.h"
#include "dnsd/snapshot_file/worker_thread.h"

namespace meshdns::app {

/// A whole meshdnsd on one event loop: starts its parts, reloads the configuration, and stops the parts in order. It
/// only wires: what a part does is in that part.
///
/// How it works: start() goes one of three ways, by the roles of the process. DNS is served as early as something true
/// can be answered.
///
///   all:         kept answers, if they match -> DNS -> endpoints file, if there is one
///   federation:  port for agents -> store -> [store lost, and no snapshot: wait for the end of the recovery] -> DNS
///   replica:     snapshot -> DNS; without a snapshot: first set from a federation -> DNS
///   neither:     DNS
///
/// The order of the members matters: a member may refer to those that are declared before it.
/// thread: the loop's
class Daemon {
 public:
  /// `loop` and `clock` must outlive the daemon.
  /// path: of the configuration file, for reloads; empty = there is none (--dev)
  Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path);
  ~Daemon();

  /// Starts all parts.
  /// errors: the first one, for example an address that cannot be bound; InvalidArgument for a wrong endpoints file
  Result<void> start();
  /// Tells the service manager that the start is over.
  void started() { service_.ready(); }
  /// Reads the configuration file again. A file with errors changes nothing. Changes that need a restart are logged and
  /// do not take effect.
  void reload();
  /// Stops all parts in the background, then the loop.
  void stop();

  const Parts& parts() const { return parts_; }
  /// Whether the daemon stopped because something failed after the start.
  bool failed() const { return failed_; }

 private:
  /// Serves DNS from the snapshot file, or later, when a federation has sent the first records.
  Result<void> start_replica();
  /// Raises the limit of open files, and divides the descriptors between DNS and federation.
  void budget_descriptors();
  /// `configuration` must outlive the options.
  static snapshot_file::WarmStart::Options warm_start_options(const Configuration& configuration);
  /// Serves the answer table that the previous run kept, until the records are read. Does nothing if there is none, or
  /// if it does not match. Publications are held from here until the records are read.
  Result<void> serve_kept_answers();
  Result<void> start_dns();
  /// Connects to the receiver of dnstap messages, if one is configured; schedule_rate_limit_watch() tries again.
  void start_dnstap();
  void end_dns();
  /// Returns the configured policy, completed by the host's name as NSID and a cookie secret of this process.
  query::Policy policy() const;
  /// Serves DNS as not ready where the service manager holds the port: nobody else would answer its queries. Elsewhere
  /// DNS is not served yet, so that clients move on to their next server.
  Result<void> start_not_ready();
  void become_ready();
  /// Informs the parts that a change of the catalog concerns. Cheap if the catalog has not changed.
  void records_changed();
  void wire_record_changes();
  /// Publishes records that came from a federation, and begins to serve DNS with the first ones.
  void serve_first_records();
  /// Tries again to serve DNS if the system may have room later; stops the daemon otherwise.
  void serve_later(const Error& why);
  /// Notes that an agent has sent all its records, or has left.
  void agent_synced(const std::string& node);
  /// Ends the recovery when it is over, and logs its begin and end.
  void watch_recovery();
  /// Opens the federation's port. Messages that arrive wait until the loop runs.
  Result<void> listen_for_agents();
  void start_federation();
  /// Restores the records of the store, before DNS is served.
  Result<void> open_store();
  Result<void> start_admin();
  /// Begins to resolve the hostnames of external endpoints.
  /// requires: objects are restored
  void start_external_names();
  void configure_external_names();
  /// Returns the settings with the port that the system chose in the place of port 0.
  answers::Settings settings_as_bound() const;
  void end_servers();
  void schedule_sweep();
  void schedule_forgetting();
  void schedule_heartbeat();
  void schedule_rate_limit_watch();
  /// Shows the DNS threads that the control thread runs. Without the pulse they answer as stale.
  void beat_pulse();
  /// Logs when records are refused because there are too many, and when that is over.
  void tell_of_room();
  void reload_failed(std::string_view problems);

  process::EventLoop& loop_;
  const Clock& clock_;
  Configuration configuration_;
  std::string path_;
  metrics::Registry registry_;
  catalog::Catalog catalog_;
  RecordChanges changes_;
  Parts parts_;
  persistence::Objects objects_;
  persistence::Persistence persistence_;
  publish::Publisher publisher_;
  RecordCounts counts_;
  LintNames lint_names_;
  EventLog events_;
  MeshFile mesh_file_;
  snapshot_file::WarmStart warm_start_;
  MeshView view_;
  ServiceReport service_;
  const std::vector<int> passed_;  // descriptors of sockets that the service manager has opened
  DescriptorBudget budget_;
  std::unique_ptr<server::DnsServer> dns_;
  std::unique_ptr<dnstap::Sender> dnstap_;
  bool dnstap_failed_ = false;  // the failure to connect is logged
  std::optional<federation::Agents> agents_;
  std::optional<federation::Recovery> recovery_;
  std::optional<federation::Feed> feed_;
  std::optional<federation::Watchers> watchers_;
  std::optional<snapshot_file::SnapshotKeeper> keeper_;
  std::optional<Replica> replica_;
  std::optional<LocalOverrides> local_overrides_;  // on a replica only
  OverrideRounds override_rounds_;
  std::optional<publish::Freshness> freshness_;
  std::optional<external::ExternalNames> external_names_;  // not on a replica
  std::optional<resolve::Resolver> resolver_;              // of external_names_; ends first: answers go there
  std::unique_ptr<federation::FederationService> federation_;
  std::unique_ptr<admin::AdminService> admin_;
  std::unique_ptr<http::Server> http_;
  std::optional<TimerId> sweep_timer_;
  std::optional<TimerId> forget_timer_;
  std::optional<TimerId> heartbeat_timer_;
  std::optional<TimerId> rate_limit_timer_;
  std::optional<TimePoint> beaten_;  // the last pulse
  RateLimitWatch rate_limit_watch_;
  std::optional<rpc::TlsWatch> tls_watch_;
  wire::CookieSecret own_secret_{};
  metrics::Counter& failed_reloads_;
  metrics::Gauge& last_load_;
  bool recovering_told_ = false;
  bool stopping_ = false;
  bool failed_ = false;
  bool full_ = false;                     // that records are refused is logged
  std::optional<TimerId> serving_timer_;  // of the next try to serve DNS
  log::Reminder serving_;
  std::optional<snapshot_file::WorkerThread> ending_;  // made at the start: later the system may give no thread
};

}  // namespace meshdns::app
