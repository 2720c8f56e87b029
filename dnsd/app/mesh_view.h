#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/metrics/registry.h"
#include "dnsd/admin/mesh.h"
#include "dnsd/app/capture_session.h"
#include "dnsd/app/dns_service.h"
#include "dnsd/app/event_log.h"
#include "dnsd/app/hostname_service.h"
#include "dnsd/app/linting.h"
#include "dnsd/app/listing.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/record_source.h"
#include "dnsd/app/service_counts.h"
#include "dnsd/app/simulations.h"
#include "dnsd/app/slices.h"
#include "dnsd/app/status_report.h"

namespace meshdns::dnsd::app {

/// Implements the calls of operators (admin::Mesh): hands each call to the part that answers it. The RecordSource
/// applies changes. Calls whose cost grows with the mesh are jobs of Slices.
/// thread: control
class MeshView : public admin::Mesh {
 public:
  /// All references must outlive the view.
  struct Environment {
    const ProcessState& process;
    const MeshState& mesh;
    const metrics::Registry& registry;
    Timers& timers;
    EventLog& events;
    RecordSource& source;
    const HostnameService& hostnames;
    const DnsService& dns;
    const std::vector<Role*>& roles;  // all roles, for the status
  };

  explicit MeshView(const Environment& environment, Slices::Bounds bounds = {})
      : env_(environment),
        capture_(env_.mesh.clock, env_.timers),
        slices_(env_.mesh.clock, env_.timers, bounds),
        simulations_(env_.mesh.clock, slices_),
        listing_({env_.mesh, env_.source, env_.hostnames}, slices_),
        linting_(env_.mesh, slices_),
        status_({env_.process, env_.mesh, env_.hostnames, env_.roles}, slices_) {}

  void apply(const v1::ApplyRequest& request, std::function<void(v1::ApplyReply)> done) override {
    env_.source.apply(request, std::move(done));
  }
  void erase(const v1::DeleteRequest& request, std::function<void(Result<v1::DeleteReply>)> done) override {
    env_.source.erase(request, std::move(done));
  }
  void list(const v1::ListRequest& request, std::function<void(Result<v1::ListReply>)> done) override {
    listing_.list(request, done);
  }
  Result<v1::ExplainReply> explain(const v1::ExplainRequest& request) override {
    return simulations_.explain(env_.mesh.catalog, env_.mesh.publisher, request);
  }
  void simulate(const v1::SimulateRequest& request, std::function<void(Result<v1::SimulateReply>)> done) override {
    simulations_.simulate(env_.mesh.catalog, env_.mesh.publisher, request, done);
  }
  void events(const v1::EventsRequest& request, std::function<void(Result<v1::EventsReply>)> done) override {
    env_.events.look(request, std::move(done));
  }
  void lint(const v1::LintRequest& request, std::function<void(Result<v1::LintReply>)> done) override {
    linting_.lint(request, done);
  }
  void status(std::function<void(Result<v1::StatusReply>)> done) override { status_.status(done); }
  Result<v1::ApproveShrinkReply> approve_shrink() override { return env_.source.approve_shrink(); }
  Result<v1::TokenReply> token(const v1::TokenRequest& request) override { return env_.source.token(request); }
  void capture(const v1::CaptureRequest& request, const std::string& by,
               std::function<void(Result<v1::CaptureReply>)> done) override {
    capture_.look(request, by, env_.dns.server(), std::move(done));
  }
  bool ready() override { return env_.process.ready; }
  void metrics(std::function<void(Result<std::string>)> done) override;

  /// Appends the metrics of services that the last call of metrics() has counted, if the configuration wants them.
  void collect(std::vector<metrics::Sample>& out) const;
  /// Returns Slices::longest(), for tests.
  std::size_t longest_slice() const { return slices_.longest(); }

 private:
  Environment env_;
  CaptureSession capture_;
  Slices slices_;  // declared before the members that run jobs in it
  Simulations simulations_;
  Listing listing_;
  Linting linting_;
  StatusReport status_;
  std::shared_ptr<const ServiceCounts> service_counts_;
};

}  // namespace meshdns::dnsd::app
