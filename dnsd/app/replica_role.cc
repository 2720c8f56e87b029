#include "dnsd/app/replica_role.h"

#include <utility>

#include "common/base/random_seed.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/metrics/samples.h"
#include "common/rpc/credentials.h"
#include "dnsd/app/mesh_metrics.h"
#include "dnsd/app/object_events.h"
#include "dnsd/app/override_guard.h"
#include "dnsd/topology/words.h"

namespace meshdns::dnsd::app {
namespace {

constexpr const char* kReplica = "this is a replica: objects are changed at its federation";
constexpr const char* kLostReplica =
    "this is a replica: objects are changed at its federation; while it is lost: drain and force with --local";

}  // namespace

ReplicaRole::ReplicaRole(Environment environment)
    : env_(std::move(environment)),
      local_overrides_({env_.mesh.clock, env_.mesh.catalog, env_.mesh.objects, env_.mesh.publisher,
                        env_.process.instance, env_.process.configuration.file.data_dir()}) {}

Replica::Options ReplicaRole::options() {
  const Configuration& configuration = env_.process.configuration;
  const auto& servers = configuration.file.replica().federation();
  return {.watch = {{servers.begin(), servers.end()},
                    random_seed(),
                    rpc::channel_credentials(configuration.tls, configuration.expected_federation())},
          .name = env_.process.instance,
          .folder = configuration.file.data_dir(),
          .changed =
              [this] {
                expire_overrides();  // before an answer follows from an override that is over
                env_.changed();
              },
          .answers = [this] { return env_.mesh.publisher.pin(); },
          .keep_answers =
              [this](const auto& table, std::uint64_t of) {
                if (!local_overrides_.any()) env_.warm_start.keep(table, of);  // the snapshot lacks local ones
              }};
}

Result<bool> ReplicaRole::open() {
  const auto stale_after = [this] { return env_.process.configuration.stale_after(); };
  replica_.emplace(env_.loop, env_.mesh.clock, env_.mesh.catalog, env_.mesh.objects, options());
  freshness_.emplace(
      env_.loop, env_.mesh.publisher,
      publish::Freshness::Source{.silence = [this] { return replica_->silence(); }, .stale_after = stale_after});
  local_overrides_.restore();
  if (!replica_->restore()) return false;
  env_.mesh.publisher.set_stale(replica_->silence() > stale_after());
  return true;
}

void ReplicaRole::start() {
  replica_->start();
  freshness_->watch();
}

const char* ReplicaRole::refusal() const { return replica_->connected() ? kReplica : kLostReplica; }

void ReplicaRole::apply(const v1::ApplyRequest& request, Applied done) {
  done(request.local() ? apply_local(request) : all_refused(request, refusal()));
}

v1::ApplyReply ReplicaRole::apply_local(const v1::ApplyRequest& request) {
  if (replica_->connected()) {
    return all_refused(request, "its federation " + replica_->server() + " is connected: change it there");
  }
  const model::Records& records = env_.mesh.catalog.records();
  if (const std::string idle = idle_target(request, records); !idle.empty()) return all_refused(request, idle);
  v1::ApplyReply reply = local_overrides_.apply(request);
  count_targets(request, records, reply);
  reply.set_revision(env_.mesh.catalog.revision());
  note_changed(env_.events, request, reply);
  return reply;
}

void ReplicaRole::erase(const v1::DeleteRequest& request, Erased done) {
  if (request.local()) return done(local_overrides_.erase(request));
  done(Error(Code::FailedPrecondition, refusal()));
}

Result<v1::ApproveShrinkReply> ReplicaRole::approve_shrink() {
  federation::Mirror& mirror = replica_->mirror();
  if (mirror.shrink_refused().empty()) return Error(Code::FailedPrecondition, "no set is refused");
  mirror.approve_shrink();
  log::info("shrink approved", {{"what", mirror.shrink_refused()}});
  v1::ApproveShrinkReply reply;
  reply.set_approved(mirror.shrink_refused());
  return reply;
}

void ReplicaRole::expire_overrides() {
  local_overrides_.expire();
  const auto over = topology::expired(env_.mesh.catalog.records().overrides, env_.mesh.clock.unix_seconds());
  if (over.empty()) return;
  for (const std::string& name : over) {
    env_.mesh.catalog.erase_local_override(name);
    env_.mesh.objects.mirror("Override/" + name, nullptr);
  }
  env_.mesh.publisher.changed_here();
}

std::string ReplicaRole::followed() const {
  return (replica_->connected() ? ", following " : ", without a federation, last tried: ") + replica_->server();
}

void ReplicaRole::write(v1::StatusReply& out) const {
  for (const v1::Brake& brake : replica_->origin_brakes()) {
    v1::BrakeInfo& info = *out.add_brakes();
    info.set_name(brake.name());
    info.set_covers(brake.covers());
    info.set_reason(brake.reason());
    info.set_held_back(brake.held_back());
  }
  out.set_follows(replica_->server());
  out.set_follows_connected(replica_->connected());
  *out.mutable_unheard_for() = convert::to_wire(replica_->silence());
  out.set_stale(env_.mesh.publisher.stale());
  out.set_recovering(replica_->origin_recovers());
  out.set_shrink_refused(replica_->mirror().shrink_refused());
  out.set_local_overrides(static_cast<std::uint32_t>(local_overrides_.size()));
}

void ReplicaRole::collect(std::vector<metrics::Sample>& out) const {
  using metrics::gauge;
  const publish::Publisher& publisher = env_.mesh.publisher;
  gauge(out, "meshdns_dnsd_snapshot_age_seconds", "since when the federation was not heard", {},
        std::chrono::duration<double>(replica_->silence()).count());
  gauge(out, "meshdns_dnsd_stale", "1 while answers carry EDE 3", {}, publisher.stale() ? 1 : 0);
  gauge(out, "meshdns_dnsd_not_ready", "1 while answers are SERVFAIL with EDE 14", {}, publisher.not_ready() ? 1 : 0);
  gauge(out, "meshdns_dnsd_damaged_snapshots", "snapshots that were not whole at the start", {},
        static_cast<double>(replica_->damaged_snapshots()));
  gauge(out, "meshdns_dnsd_origin_recovering", "1 while the federation that is followed learns anew what there is", {},
        replica_->origin_recovers() ? 1 : 0);
  gauge(out, "meshdns_dnsd_origin_brakes_closed", "brakes that hold something back at the federation that is followed",
        {}, static_cast<double>(replica_->origin_brakes().size()));
  gauge(out, "meshdns_dnsd_shrink_refused", "1 while a set is refused that would take away most endpoints", {},
        replica_->mirror().shrink_refused().empty() ? 0 : 1);
  gauge(out, "meshdns_dnsd_local_overrides", "overrides that this replica alone obeys", {},
        static_cast<double>(local_overrides_.size()));
  count_clamped(out, "federation", replica_->clamped());
}

}  // namespace meshdns::dnsd::app
