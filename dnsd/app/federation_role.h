#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/log/audit.h"
#include "common/process/event_loop.h"
#include "dnsd/admin/mesh.h"
#include "dnsd/app/descriptor_budget.h"
#include "dnsd/app/event_log.h"
#include "dnsd/app/kubernetes_clusters.h"
#include "dnsd/app/kubernetes_objects.h"
#include "dnsd/app/kubernetes_settings.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/object_changes.h"
#include "dnsd/app/record_source.h"
#include "dnsd/enrolment/enrolment.h"
#include "dnsd/enrolment/token_reviews.h"
#include "dnsd/federation/agents.h"
#include "dnsd/federation/federation_service.h"
#include "dnsd/federation/feed.h"
#include "dnsd/federation/recovery.h"
#include "dnsd/federation/watchers.h"
#include "dnsd/persistence/persistence.h"
#include "dnsd/snapshot_file/snapshot_keeper.h"

namespace meshdns::dnsd::app {

/// The role of a federation: agents report records to it, it stores the records and operators' objects, and sends both
/// to replicas.
///
/// The order of start and end
///
///   open():     the agents' sessions -> the port, where those that connect wait for the loop -> the store, from which
///               catalog and objects are filled -> the recovery, which judges how far to trust them
///   start():    the feed, its replicas, and the snapshot beside the store; the timers; the objects of the Kubernetes
///   API stop():     agents and replicas get a Goodbye end():      the port, because gRPC waits for calls that the loop
///   answers destructor: the store gets what is not written yet, while the agents know the digests that are stored with
///   it;
///               then the members in reverse order, of which the snapshot writes what it has put off
///
/// thread: the loop's, except end()
class FederationRole : public RecordSource {
 public:
  /// All references must outlive the role.
  struct Environment {
    process::EventLoop& loop;
    const ProcessState& process;
    const MeshState& mesh;
    EventLog& events;
    const DescriptorBudget& budget;
    log::Audit& audit;
    std::function<admin::Mesh&()> calls;    // answers operators who call the federation's port
    std::function<void()> records_changed;  // informs everybody whom a change of the catalog concerns
    std::function<void()> recovered;        // the recovery is over: all records are known
  };

  explicit FederationRole(Environment environment);
  ~FederationRole() override;

  /// returns: false = the store is lost and nothing replaces it, so that DNS would deny what exists
  Result<bool> open() override;
  void start() override;
  void stop(std::function<void()> done) override;
  void end() override { service_.reset(); }
  void reload() override;
  void changed() override;

  void apply(const v1::ApplyRequest& request, Applied done) override { changes_.apply(request, std::move(done)); }
  void erase(const v1::DeleteRequest& request, Erased done) override { changes_.erase(request, std::move(done)); }
  void expire_overrides() override { changes_.expire_overrides(); }
  /// Ends the recovery: the records that are known are taken for all.
  Result<v1::ApproveShrinkReply> approve_shrink() override;
  Result<v1::TokenReply> token(const v1::TokenRequest& request) override;
  /// Answers Enroll: at once, except where the API server of Kubernetes has to be asked.
  void enroll(const v1::EnrollRequest& request, const identity::Proof& applicant, federation::Enrolled done);

  std::string node_state(const std::string& node) const override;
  bool recovering() const override { return recovery_->recovering(); }
  std::string reporters() const override;
  void write(v1::StatusReply& out) const override;
  void collect(std::vector<metrics::Sample>& out) const override;

 private:
  const Configuration& configuration() const { return env_.process.configuration; }
  const Clock& clock() const { return env_.mesh.clock; }
  /// The pods that get certificates, and whoever recognises them.
  struct Pods {
    Pods(const PodIdentitySettings& settings, process::EventLoop& loop, const Clock& clock)
        : client(loop, clock, settings.server, {}),
          reviews(settings.reviews, enrolment::asked_by(client), clock, loop),
          accounts(settings.accounts) {}

    kubernetes::Client client;
    enrolment::TokenReviews reviews;
    const enrolment::ServiceAccounts accounts;
  };

  /// Reads the authority, if this federation signs certificates.
  Result<void> open_enrolment();
  /// Notes in the audit what became of a request for a certificate.
  void note_enrolment(const v1::EnrollRequest& request, const identity::Proof& applicant,
                      const Result<v1::EnrollReply>& out);
  /// Opens the port. Messages that arrive wait until the loop runs.
  Result<void> listen();
  Result<void> open_store();
  /// Notes that an agent has sent all its records, or has left.
  void agent_synced(const std::string& node);
  /// Writes the ports that the agent of a node shall map, unless the objects that say so may be lost.
  void write_mappings(const std::string& node, v1::Settings& out);
  /// Logs the begin and the end of the recovery, and tells those who wait for its end.
  void watch_recovery();
  void schedule_sweep();
  void schedule_heartbeat();
  void schedule_forgetting();
  /// Returns freed memory to the system when a storm of connections is over. The port does so when half of the
  /// connections are gone, but what their sessions hold is freed later.
  void calm_after_storm();
  /// Removes all records of nodes whose agents are not connected.
  /// errors: InvalidArgument: a key is not of the kind Node, or means several nodes; FailedPrecondition: an agent is
  ///         connected
  Result<v1::DeleteReply> forget_nodes(const v1::DeleteRequest& request);
  void write_connections(v1::StatusReply& out) const;
  void write_agents(v1::StatusReply& out) const;
  void write_replicas(v1::StatusReply& out) const;
  /// Follows the objects in the Kubernetes API, if they are there.
  void follow_objects();

  Environment env_;
  persistence::Persistence persistence_;
  // from open() on
  std::optional<federation::Agents> agents_;
  std::optional<federation::Recovery> recovery_;
  // from start() on
  std::optional<federation::Feed> feed_;
  std::optional<federation::Watchers> watchers_;
  std::optional<snapshot_file::SnapshotKeeper> keeper_;  // nothing if the store is in memory
  std::optional<KubernetesClusters> kubernetes_;
  ObjectChanges changes_;
  std::optional<enrolment::Enrolment> enrolment_;        // nothing: this federation signs no certificates
  std::optional<Pods> pods_;                             // nothing: no service account token is believed
  std::optional<KubernetesObjects> kubernetes_objects_;  // nothing: the store has the objects
  std::unique_ptr<federation::FederationService> service_;
  std::string address_;                               // of the port
  std::shared_ptr<const rpc::Acceptor> acceptor_;     // of the port; its counts may be read after the end of service_
  std::shared_ptr<const rpc::StreamLimits> streams_;  // likewise
  std::optional<TimerId> sweep_timer_;
  std::optional<TimerId> heartbeat_timer_;
  std::optional<TimerId> forget_timer_;
  std::uint64_t accepted_ = 0;  // connections up to the last look for a storm
  bool storms_ = false;         // there was one then
  bool recovering_told_ = false;
};

}  // namespace meshdns::dnsd::app
