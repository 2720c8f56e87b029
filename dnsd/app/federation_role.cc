#include "dnsd/app/federation_role.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/model/lookup.h"
#include "common/process/memory.h"
#include "common/process/post_to.h"
#include "common/rpc/credentials.h"
#include "dnsd/admin/calls.h"
#include "dnsd/app/find_key.h"
#include "dnsd/persistence/seed.h"

// The life of FederationRole, and the calls of operators that only it can answer. Its status and metrics are in
// federation_role_status.cc and federation_role_metrics.cc, and how it gives certificates is in
// federation_role_enrolment.cc.

namespace meshdns::dnsd::app {
namespace {

constexpr std::uint64_t kStorm = 1000;   // connections between two looks
constexpr Duration kSeedInterval = 30s;  // of the federation's snapshot; after a loss agents report what is newer

}  // namespace

FederationRole::FederationRole(Environment environment)
    : env_(std::move(environment)),
      persistence_(env_.loop, process::post_to(env_.loop), clock(), env_.mesh.catalog, env_.mesh.objects),
      changes_({.mesh = env_.mesh,
                .events = env_.events,
                .store =
                    [this](persistence::Objects::Change change, std::function<void(Result<void>)> done) {
                      persistence_.apply(std::move(change), std::move(done));
                    },
                .erase_expired = [this](std::vector<std::string> keys) { persistence_.erase_expired(std::move(keys)); },
                .forget_nodes = [this](const v1::DeleteRequest& request) { return forget_nodes(request); },
                .by_kubectl = configuration().kubernetes.objects.has_value(),
                .records_changed = env_.records_changed}) {}

FederationRole::~FederationRole() {
  persistence_.finish();  // while agents_ exists: it knows the digests that are stored with endpoints
  for (const auto& timer : {sweep_timer_, heartbeat_timer_, forget_timer_}) {
    if (timer) env_.loop.cancel(*timer);
  }
}

Result<bool> FederationRole::open() {
  agents_.emplace(federation::Agents::Environment{
      .catalog = env_.mesh.catalog,
      .clock = clock(),
      .timers = env_.loop,
      .instance = env_.process.instance,
      .changed = env_.records_changed,
      .synced = [this](const std::string& node) { agent_synced(node); },
      .told = [this](const std::string& endpoint) { persistence_.told(endpoint); },
      .identities = configuration().tls.has_value(),
      .audit = [&audit = env_.audit](const log::AuditEntry& entry) { audit.note(entry); },
      .mappings = {[this] { return env_.mesh.publisher.planner().mappings().take(); },
                   [this](const std::string& node, v1::Settings& out) { write_mappings(node, out); }}});
  // After a restart ten thousand agents may connect at once, and an agent that is refused waits longer each time. So
  // the port is open before the store is read, which takes a while for a million records.
  if (auto done = listen(); !done) return done.error();
  if (auto done = open_store(); !done) return done.error();
  return !persistence_.knows_nothing();
}

Result<void> FederationRole::listen() {
  const auto gate = configuration().gate();
  if (auto done = open_enrolment(); !done) return done;
  auto service = federation::FederationService::listen(
      env_.loop, clock(), *agents_, [this]() -> federation::Watchers& { return *watchers_; },
      {.address = configuration().file.federation().listen(),
       .credentials = rpc::server_credentials(
           configuration().tls, enrolment_ ? rpc::ClientCertificate::Asked : rpc::ClientCertificate::Required),
       .gate = gate,
       .enroll = enrolment_ ? federation::Enroll([this](const auto& request, const auto& applicant, auto done) {
         enroll(request, applicant, std::move(done));
       })
                            : federation::Enroll(),
       .also = {admin::calls_from_afar(env_.loop, env_.calls(), env_.audit, gate)},
       .connections = {.connections = env_.budget.federation, .per_address = env_.budget.per_address}});
  if (!service) return service.error();
  service_ = std::move(*service);
  address_ = service_->bound();
  acceptor_ = service_->acceptor();
  streams_ = service_->streams();
  log::info("federation listening",
            {{"address", address_}, {"tls", configuration().tls.has_value()}, {"connections", env_.budget.federation}});
  return {};
}

Result<void> FederationRole::open_store() {
  auto opened =
      persistence_.open({configuration().file.data_dir(), configuration().database()},
                        {.of = [this](const model::Endpoint& endpoint) { return agents_->digest_of(endpoint); },
                         .restored = [this](const model::Endpoint& endpoint,
                                            std::uint64_t digest) { agents_->restored(endpoint, digest); }});
  if (!opened) return opened;
  recovery_.emplace(persistence_.kept(), clock().now(), persistence_.loss());
  for (const std::string& node : persistence_.restored()) {
    recovery_->restored(node);
    const model::Node* known = env_.mesh.catalog.latest_node(node);
    const bool has_agent = known != nullptr && known->session != 0;
    if (has_agent && !model::is_silent(env_.mesh.catalog.records(), node)) agents_->expect(node);
  }
  watch_recovery();
  return {};
}

void FederationRole::start() {
  v1::Origin origin;
  origin.set_cluster(configuration().file.cluster());
  origin.set_instance(host_name());
  feed_.emplace(
      env_.mesh.catalog, origin, persistence_.epoch(),
      [this](catalog::RecordType type, const std::string& key) { return env_.mesh.objects.find(type, key); },
      &*recovery_);
  if (!configuration().file.federation().store().has_memory()) {
    keeper_.emplace(env_.loop, clock(), process::post_to(env_.loop),
                    snapshot_file::SnapshotKeeper::Options{
                        .path = configuration().file.data_dir() + "/" + persistence::kFederationSnapshot,
                        .interval = kSeedInterval,
                        .blocks = [this] {
                          feed_->update();
                          return feed_->blocks(clock().now(), snapshot_file::SnapshotKeeper::kBlockRecords);
                        }});
  }
  feed_->set_brakes(&agents_->brakes());
  feed_->set_serial_anchor(static_cast<std::uint32_t>(clock().unix_seconds()));
  watchers_.emplace(*feed_, clock(), env_.loop, federation::WatchContext::kUnread,
                    [&audit = env_.audit](const log::AuditEntry& entry) { audit.note(entry); });
  kubernetes_.emplace(
      KubernetesClusters::Environment{.loop = env_.loop,
                                      .clock = clock(),
                                      .configuration = configuration(),
                                      .catalog = env_.mesh.catalog,
                                      .agents = *agents_,
                                      .records_changed = env_.records_changed,
                                      .hosts_changed =
                                          [this](const std::string& cluster, const kubernetes::NamespaceHosts& hosts) {
                                            const bool is_own = cluster == configuration().file.cluster();
                                            if (is_own && kubernetes_objects_) kubernetes_objects_->set_hosts(hosts);
                                          },
                                      .synced = [this](const std::string& node) { agent_synced(node); }});
  schedule_sweep();
  schedule_heartbeat();
  schedule_forgetting();
  follow_objects();
}

void FederationRole::follow_objects() {
  if (!configuration().kubernetes.objects) return;
  kubernetes_objects_.emplace(
      KubernetesObjects::Environment{
          .loop = env_.loop,
          .mesh = env_.mesh,
          .events = env_.events,
          .persistence = persistence_,
          .server = *configuration().kubernetes.objects,
          .cluster = configuration().file.cluster(),
          .list = [this](
                      const v1::ListRequest& request,
                      std::function<void(Result<v1::ListReply>)> done) { env_.calls().list(request, std::move(done)); },
          .changed =
              [this] {
                env_.mesh.publisher.changed();
                env_.records_changed();
              }},
      KubernetesObjects::Limits{});
  kubernetes_objects_->start();
}

void FederationRole::stop(std::function<void()> done) {
  kubernetes_.reset();
  agents_->shut_down();
  watchers_->shut_down();
  if (pods_) pods_->reviews.end();  // the end of the port waits for their answers
  done();
}

void FederationRole::reload() {
  // zones may have other records now; replicas hear of the new serial at the next heartbeat
  env_.mesh.catalog.pass_serial(env_.mesh.catalog.serial());
  if (kubernetes_objects_) kubernetes_objects_->judge_hosts();
}

void FederationRole::changed() {
  if (watchers_) watchers_->changed();
  if (keeper_) keeper_->save_later();
}

void FederationRole::agent_synced(const std::string& node) {
  if (recovery_->synced(node, clock().now())) watchers_->confirmed(node);
}

void FederationRole::write_mappings(const std::string& node, v1::Settings& out) {
  // after a lost store the objects may be missing that want ports to be mapped: agents keep what they have
  if (!recovery_ || recovery_->recovering()) return;
  v1::PortMappings& mappings = *out.mutable_mappings();
  for (const topology::WantedMapping& wanted : env_.mesh.publisher.planner().mappings().of_node(node)) {
    v1::PortMapping& entry = *mappings.add_ports();
    entry.set_endpoint(wanted.endpoint.substr(node.size() + 1));
    entry.set_protocol(wanted.protocol);
    entry.set_number(wanted.number);
    entry.set_target(wanted.target);
  }
}

void FederationRole::watch_recovery() {
  if (std::exchange(recovering_told_, recovery_->recovering()) == recovery_->recovering()) return;
  const model::Records& records = env_.mesh.catalog.records();
  if (recovery_->recovering()) {
    persistence_.found_lost(recovery_->claimed());
    log::warn("recovering: the store was lost, nothing is removed until the agents have reported",
              {{"nodes", records.nodes.size()}, {"endpoints", records.endpoints.size()}});
    return;
  }
  log::info("recovered", {{"agents", recovery_->agents()}, {"endpoints", records.endpoints.size()}});
  persistence_.recovered();
  agents_->tell_mappings();
  env_.recovered();
}

void FederationRole::schedule_sweep() {
  sweep_timer_ = env_.loop.after(federation::Leases::sweep_interval(), [this] {
    recovery_->look(clock().now());
    // before watch_recovery(): rules that have become stricter during a recovery hold for the first answers, too
    if (!recovery_->recovering()) agents_->sweep();
    watch_recovery();
    schedule_sweep();
  });
}

void FederationRole::schedule_heartbeat() {
  heartbeat_timer_ = env_.loop.after(federation::Watchers::kHeartbeat / federation::Watchers::kSlices, [this] {
    watchers_->heartbeat_slice();
    watchers_->end_silent_streams();
    agents_->end_silent_streams();
    env_.mesh.publisher.changed();  // the serial moves on if a replica has seen a newer one than ours
    schedule_heartbeat();
  });
}

void FederationRole::schedule_forgetting() {
  forget_timer_ = env_.loop.after(std::min(kForgetInterval, configuration().forget_after()), [this] {
    if (!recovery_->recovering()) {
      agents_->forget(configuration().forget_after());
      env_.records_changed();
    }
    calm_after_storm();
    schedule_forgetting();
  });
}

void FederationRole::calm_after_storm() {
  const std::uint64_t accepted = acceptor_->counts().accepted;
  const bool storms = accepted - std::exchange(accepted_, accepted) >= kStorm;
  if (std::exchange(storms_, storms) && !storms) process::release_free_memory();
}

Result<v1::ApproveShrinkReply> FederationRole::approve_shrink() {
  if (!recovery_->recovering()) return RecordSource::approve_shrink();
  const std::string what = "endpoints known: " + std::to_string(env_.mesh.catalog.records().endpoints.size());
  recovery_->approve();
  log::info("recovery ended by an operator", {{"what", what}});
  v1::ApproveShrinkReply reply;
  reply.set_approved(what);
  return reply;
}

Result<v1::DeleteReply> FederationRole::forget_nodes(const v1::DeleteRequest& request) {
  const std::string_view kind = ObjectChanges::kNodeKind;
  if (!std::ranges::all_of(request.keys(), ObjectChanges::names_node)) {
    return Error(Code::InvalidArgument, "nodes and objects cannot be deleted together");
  }
  v1::DeleteReply reply;
  std::vector<std::string> nodes;
  for (const std::string& key : request.keys()) {
    auto found = find_key(env_.mesh.catalog.records().nodes, key.substr(kind.size()));
    if (!found) return found.error().with_context("Node");
    if (found->empty()) {
      reply.add_missing(key);
    } else if (agents_->is_connected(*found)) {
      return Error(Code::FailedPrecondition,
                   "the agent of " + *found + " is connected; run `meshdns-agent leave` there");
    } else {
      nodes.push_back(*found);
    }
  }
  if (!reply.missing().empty() && !request.ignore_missing()) nodes.clear();
  for (const std::string& node : nodes) {
    if (auto removed = agents_->remove(node); !removed) return removed.error();
    reply.add_deleted(std::string(kind) + node);
  }
  reply.set_revision(env_.mesh.catalog.revision());
  return reply;
}

std::string FederationRole::node_state(const std::string& node) const {
  if (agents_->is_connected(node)) return "connected";
  const model::Node* known = env_.mesh.catalog.latest_node(node);
  return known != nullptr && known->session == 0 ? "no agent" : "disconnected";
}

std::string FederationRole::reporters() const { return ", " + counted(agents_->connected(), "agent"); }

}  // namespace meshdns::dnsd::app
