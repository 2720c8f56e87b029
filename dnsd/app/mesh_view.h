#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "common/metrics/registry.h"
#include "dnsd/admin/mesh.h"
#include "dnsd/app/capture_session.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/event_log.h"
#include "dnsd/app/lint_names.h"
#include "dnsd/app/linting.h"
#include "dnsd/app/listing.h"
#include "dnsd/app/local_overrides.h"
#include "dnsd/app/record_counts.h"
#include "dnsd/app/reload.h"
#include "dnsd/app/replica.h"
#include "dnsd/app/service_counts.h"
#include "dnsd/app/simulations.h"
#include "dnsd/app/slices.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/dnstap/sender.h"
#include "dnsd/external/external_names.h"
#include "dnsd/federation/agents.h"
#include "dnsd/federation/recovery.h"
#include "dnsd/federation/watchers.h"
#include "dnsd/persistence/objects.h"
#include "dnsd/persistence/persistence.h"
#include "dnsd/publish/publisher.h"
#include "dnsd/server/dns_server.h"
#include "dnsd/snapshot_file/warm_start.h"

namespace meshdns::rpc {
class Acceptor;
class StreamLimits;
class TlsWatch;
}  // namespace meshdns::rpc

namespace meshdns::app {

/// The parts of a running meshdnsd, for code that shows them. The Daemon owns the parts and fills in each pointer when
/// the part exists: a part that starts later, or not at all in this role, is null until then.
struct Parts {
  const Clock& clock;
  TimePoint started{};
  std::string instance;  // "eu-1/host"
  const Configuration* configuration = nullptr;
  catalog::Catalog* catalog = nullptr;
  persistence::Objects* objects = nullptr;
  persistence::Persistence* persistence = nullptr;
  publish::Publisher* publisher = nullptr;
  RecordCounts* counts = nullptr;
  federation::Agents* agents = nullptr;
  federation::Recovery* recovery = nullptr;
  const federation::Watchers* watchers = nullptr;
  EventLog* events = nullptr;
  Replica* replica = nullptr;
  LocalOverrides* local_overrides = nullptr;  // on a replica only
  const snapshot_file::WarmStart* warm_start = nullptr;
  const external::ExternalNames* external_names = nullptr;
  const server::DnsServer* dns = nullptr;
  const rpc::TlsWatch* tls = nullptr;
  std::shared_ptr<const ServiceCounts> service_counts{};  // of the last scrape with metrics of services
  const dnstap::Sender* dnstap = nullptr;
  std::function<void()> records_changed;          // Daemon::records_changed(); empty on a replica
  std::string federation_address;                 // where agents connect; empty = nowhere
  std::shared_ptr<const rpc::Acceptor> acceptor;  // of that address; null = there is none
  std::shared_ptr<const rpc::StreamLimits> streams{};
  bool ready = false;
  bool rate_limiting = false;
  ReloadState reload;
};

/// Implements the calls of operators (admin::Mesh): shows the parts, and applies changes. mesh_view_changes.cc has the
/// changes, mesh_view_status.cc the status. Calls whose cost grows with the mesh are jobs of Slices.
/// thread: control
class MeshView : public admin::Mesh {
 public:
  /// All references must outlive the view.
  MeshView(Parts& parts, const metrics::Registry& registry, Timers& timers, LintNames& names,
           Slices::Bounds bounds = {})
      : parts_(parts),
        registry_(registry),
        capture_(parts.clock, timers),
        slices_(parts.clock, timers, bounds),
        simulations_(parts.clock, slices_),
        listing_(parts, slices_, names),
        linting_(parts, slices_, names) {}

  void apply(const v1::ApplyRequest& request, std::function<void(v1::ApplyReply)> done) override;
  void erase(const v1::DeleteRequest& request, std::function<void(Result<v1::DeleteReply>)> done) override;
  void list(const v1::ListRequest& request, std::function<void(Result<v1::ListReply>)> done) override {
    listing_.list(request, done);
  }
  Result<v1::ExplainReply> explain(const v1::ExplainRequest& request) override {
    return simulations_.explain(*parts_.catalog, *parts_.publisher, request);
  }
  void simulate(const v1::SimulateRequest& request, std::function<void(Result<v1::SimulateReply>)> done) override {
    simulations_.simulate(*parts_.catalog, *parts_.publisher, request, done);
  }
  void events(const v1::EventsRequest& request, std::function<void(Result<v1::EventsReply>)> done) override {
    parts_.events->look(request, std::move(done));
  }
  void lint(const v1::LintRequest& request, std::function<void(Result<v1::LintReply>)> done) override {
    linting_.lint(request, done);
  }
  void status(std::function<void(Result<v1::StatusReply>)> done) override;
  Result<v1::ApproveShrinkReply> approve_shrink() override;
  void capture(const v1::CaptureRequest& request, const std::string& by,
               std::function<void(Result<v1::CaptureReply>)> done) override {
    capture_.look(request, by, parts_.dns, std::move(done));
  }
  bool ready() override { return parts_.ready; }
  /// Returns Slices::longest(), for tests.
  std::size_t longest_slice() const { return slices_.longest(); }
  /// Ends the overrides whose time is over. Their origin deletes them. A replica, which may have lost its origin, only
  /// stops to obey and to show them.
  void expire_overrides();
  void metrics(std::function<void(Result<std::string>)> done) override;

 private:
  /// Runs `operation` when all earlier ones are over, so that each change is checked against the result of the one
  /// before, although storing a change takes time. The operation calls turn_over() at its end.
  void in_turn(std::function<void()> operation);
  void turn_over();
  void changed();
  /// Checks a request without changing anything; `change` is what to store.
  v1::ApplyReply check(const v1::ApplyRequest& request, persistence::Objects::Change& change);
  v1::ApplyReply apply_local(const v1::ApplyRequest& request);
  Result<v1::DeleteReply> erase_local(const v1::DeleteRequest& request);
  void forget_overrides(const std::vector<std::string>& names);
  /// Removes all records of nodes whose agents are not connected.
  /// errors: InvalidArgument: a key is not of the kind Node, or means several nodes; FailedPrecondition: an agent is
  ///         connected
  Result<v1::DeleteReply> forget_nodes(const v1::DeleteRequest& request);
  /// Returns why a replica changes no objects, and what an operator can do instead while its federation is lost.
  const char* replica_refusal() const;
  /// Adds events about changes by operators.
  void note_changed(const v1::ApplyRequest& request, const v1::ApplyReply& reply);
  void note_deleted(const v1::DeleteReply& reply);
  void store(persistence::Objects::Change change, std::function<void(Result<void>)> done);
  /// Ends the recovery at once: the records that are known are taken for all.
  v1::ApproveShrinkReply approve_records();
  void write_overrides(v1::StatusReply& out) const;
  struct Problems;
  /// returns: false = the slice is over
  bool look_for_unread(Problems& problems, Slice& slice);
  bool look_for_problems(Problems& problems, Slice& slice);
  /// Makes the part of a status whose cost does not grow with the mesh.
  v1::StatusReply status_now();
  void write_listeners(v1::StatusReply& out) const;
  void write_brakes(v1::StatusReply& out) const;
  void write_replicas(v1::StatusReply& out) const;
  void write_certificates(v1::StatusReply& out) const;
  void write_connections(v1::StatusReply& out) const;
  void count_records(v1::StatusReply& out) const;

  std::deque<std::function<void()>> operations_;  // the first one is under way
  Parts& parts_;
  const metrics::Registry& registry_;
  CaptureSession capture_;
  Slices slices_;  // declared before the members that run jobs in it
  Simulations simulations_;
  Listing listing_;
  Linting linting_;
};

}  // namespace meshdns::app
