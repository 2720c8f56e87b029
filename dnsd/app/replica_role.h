#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/process/event_loop.h"
#include "dnsd/app/event_log.h"
#include "dnsd/app/local_overrides.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/record_source.h"
#include "dnsd/app/replica.h"
#include "dnsd/publish/freshness.h"
#include "dnsd/snapshot_file/warm_start.h"

namespace meshdns::dnsd::app {

/// The role of a replica: follows a federation, obeys local overrides while the federation is lost, and marks answers
/// as stale when the records are too old.
///
/// The order of start and end
///
///   open():     the local overrides -> the snapshot of the federation's records
///   start():    the stream to the federation -> the look at the records' age, once a second from then on
///   stop():     the stream
///   destructor: the snapshot is written, if a write was put off; whether answers are kept with it depends on the local
///               overrides, which therefore end last
///
/// thread: the loop's
class ReplicaRole : public RecordSource {
 public:
  /// All references must outlive the role.
  struct Environment {
    process::EventLoop& loop;
    const ProcessState& process;
    const MeshState& mesh;
    EventLog& events;
    snapshot_file::WarmStart& warm_start;
    std::function<void()> changed;  // the federation has sent records, and the catalog holds a whole set
  };

  explicit ReplicaRole(Environment environment);

  /// returns: false = there is no snapshot, or none is whole
  Result<bool> open() override;
  void start() override;
  void stop(std::function<void()> done) override { replica_->stop(std::move(done)); }

  /// Applies local overrides while the federation is lost; refuses everything else.
  void apply(const v1::ApplyRequest& request, Applied done) override;
  void erase(const v1::DeleteRequest& request, Erased done) override;
  /// Makes the replica take the set that it refuses because the set removes too much.
  Result<v1::ApproveShrinkReply> approve_shrink() override;
  /// Ends local overrides, which are deleted here. Those of the federation are deleted there; a replica, which may have
  /// lost its federation, only stops to obey and to show them.
  void expire_overrides() override;

  std::string node_state(const std::string& /*node*/) const override { return "heard"; }
  std::string followed() const override;
  void write(v1::StatusReply& out) const override;
  void collect(std::vector<metrics::Sample>& out) const override;

 private:
  Replica::Options options();
  v1::ApplyReply apply_local(const v1::ApplyRequest& request);
  /// Returns why a replica changes no objects, and what an operator can do instead while its federation is lost.
  const char* refusal() const;

  Environment env_;
  LocalOverrides local_overrides_;
  // from open() on
  std::optional<Replica> replica_;
  std::optional<publish::Freshness> freshness_;
};

}  // namespace meshdns::dnsd::app
