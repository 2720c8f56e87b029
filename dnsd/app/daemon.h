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

/// A whole meshdnsd on one event loop: brings the parts up, reloads, and takes them down in order.
/// thread: the loop's
class Daemon {
 public:
  /// path: of the configuration file, for reloads; empty = there is none (--dev)
  Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path);
  ~Daemon();

  /// errors: the first thing that cannot be bound
  Result<void> start();
  /// The service manager hears that the start is over.
  void started() { service_.ready(); }
  /// Reads the file again. What is wrong leaves everything as it is; what needs a restart is told.
  void reload();
  /// Ends everything in the background, then stops the loop.
  void stop();

  const Parts& parts() const { return parts_; }
  /// It ended because something failed after the start.
  bool failed() const { return failed_; }

 private:
  /// A replica: from the snapshot file, or as soon as a federation has told what there is.
  Result<void> start_replica();
  /// Raises the limit of open files, and divides what there is.
  void budget_descriptors();
  /// configuration: must outlive them
  static snapshot_file::WarmStart::Options warm_start_options(const Configuration& configuration);
  /// Those that an earlier run has compiled of the records that are yet to be read, if they are kept.
  Result<void> serve_kept_answers();
  Result<void> start_dns();
  void start_dnstap();
  void end_dns();
  /// What the configuration leaves open is filled in: the host's name, a secret of this process.
  query::Policy policy() const;
  /// Before anything is known: only where the service manager holds the port, whose queries would wait in vain.
  Result<void> start_not_ready();
  void become_ready();
  /// The catalog may have changed: tells whoever that concerns. Cheap if it has not.
  void records_changed();
  void wire_record_changes();
  void serve_first_records();
  /// DNS could not be started now.
  void serve_later(const Error& why);
  /// An agent has told all that it has, or that it goes.
  void agent_synced(const std::string& node);
  /// Ends the recovery when it is over, and says so.
  void watch_recovery();
  /// Opens the federation's port; what comes there waits for the loop.
  Result<void> listen_for_agents();
  void start_federation();
  /// Restores what the store kept, before DNS is served.
  Result<void> open_store();
  Result<void> start_admin();
  /// Hostnames of external endpoints are resolved, from the objects that there are on.
  void start_external_names();
  void configure_external_names();
  /// With the ports that port 0 became, for people.
  answers::Settings settings_as_bound() const;
  void end_servers();
  void schedule_sweep();
  void schedule_forgetting();
  void schedule_heartbeat();
  void schedule_rate_limit_watch();
  /// The DNS threads hear that this thread goes round.
  void beat_pulse();
  /// Tells when records are refused because there are too many, and when that is over.
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
  const std::vector<int> passed_;  // sockets that the service manager has opened
  DescriptorBudget budget_;
  std::unique_ptr<server::DnsServer> dns_;
  std::unique_ptr<dnstap::Sender> dnstap_;
  bool dnstap_failed_ = false;  // and it was told
  std::optional<federation::Agents> agents_;
  std::optional<federation::Recovery> recovery_;
  std::optional<federation::Feed> feed_;
  std::optional<federation::Watchers> watchers_;
  std::optional<snapshot_file::SnapshotKeeper> keeper_;
  std::optional<Replica> replica_;
  std::optional<LocalOverrides> local_overrides_;  // a replica's
  OverrideRounds override_rounds_;
  std::optional<publish::Freshness> freshness_;
  std::optional<external::ExternalNames> external_names_;  // not on a replica
  std::optional<resolve::Resolver> resolver_;              // theirs
  std::unique_ptr<federation::FederationService> federation_;
  std::unique_ptr<admin::AdminService> admin_;
  std::unique_ptr<http::Server> http_;
  std::optional<TimerId> sweep_timer_;
  std::optional<TimerId> forget_timer_;
  std::optional<TimerId> heartbeat_timer_;
  std::optional<TimerId> rate_limit_timer_;
  std::optional<TimePoint> beaten_;  // the pulse of dns_
  RateLimitWatch rate_limit_watch_;
  std::optional<rpc::TlsWatch> tls_watch_;
  wire::CookieSecret own_secret_{};
  metrics::Counter& failed_reloads_;
  metrics::Gauge& last_load_;
  bool recovering_told_ = false;
  bool stopping_ = false;
  bool failed_ = false;
  bool full_ = false;                     // and it was told
  std::optional<TimerId> serving_timer_;  // of the next try to serve DNS
  log::Reminder serving_;
  std::optional<snapshot_file::WorkerThread> ending_;  // made at the start: later there may be no thread to be had
};

}  // namespace meshdns::app
