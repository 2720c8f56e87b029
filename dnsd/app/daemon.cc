#include "dnsd/app/daemon.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/config/log_settings.h"
#include "common/log/log.h"
#include "common/model/lookup.h"
#include "common/process/memory.h"
#include "common/process/passed_sockets.h"
#include "common/process/post_to.h"
#include "common/process/process_metrics.h"
#include "common/rpc/credentials.h"
#include "dnsd/admin/calls.h"
#include "dnsd/admin/http_api.h"
#include "dnsd/app/data_folder.h"
#include "dnsd/app/dns_metrics.h"
#include "dnsd/app/reload.h"
#include "dnsd/app/version.h"
#include "dnsd/persistence/seed.h"
#include "dnsd/server/inherited.h"
#include "dnsd/snapshot_file/kept_records.h"

namespace meshdns::app {
namespace {

constexpr Duration kForgetInterval = 10s;
constexpr Duration kSeedInterval = 30s;  // of the federation's snapshot; after a loss agents report what is newer

}  // namespace

Daemon::Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path)
    : loop_(loop),
      clock_(clock),
      configuration_(std::move(configuration)),
      path_(std::move(path)),
      catalog_(configuration_.file.has_replica() ? 0 : catalog::Catalog::kLogLength),  // nobody follows a replica
      changes_(catalog_),
      parts_{.clock = clock, .started = clock.now(), .instance = configuration_.file.cluster() + "/" + host_name()},
      objects_(catalog_, parts_.instance),
      persistence_(loop, post_to(loop), clock, catalog_, objects_),
      publisher_(catalog_, clock, loop, post_to(loop)),
      counts_(catalog_, publisher_.planner()),
      lint_names_(catalog_, counts_),
      events_(catalog_, publisher_, clock, loop),
      mesh_file_(catalog_, objects_),
      warm_start_(warm_start_options(configuration_), publisher_, clock, loop),
      view_(parts_, registry_, loop, lint_names_),
      service_(process::NotifyEnvironment::of_process(), loop, parts_),
      passed_(process::passed_sockets()),
      override_rounds_({loop, clock, catalog_, [this] { view_.expire_overrides(); }}),
      failed_reloads_(registry_.counter("meshdns_config_failed_reloads_total", "reloads whose file was wrong")),
      last_load_(registry_.gauge("meshdns_config_last_load_seconds",
                                 "when the configuration that runs was read, in seconds since 1970")) {
  parts_.configuration = &configuration_;
  parts_.catalog = &catalog_;
  parts_.objects = &objects_;
  parts_.publisher = &publisher_;
  parts_.counts = &counts_;
  parts_.events = &events_;
  parts_.warm_start = &warm_start_;
  register_metrics(registry_, parts_);
  process::register_process_metrics(registry_, "meshdnsd", kVersion, clock.unix_seconds());
  last_load_.set(static_cast<double>(clock.unix_seconds()));
  wire_record_changes();
  for (std::size_t at = 0; at < own_secret_.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t part = random_seed();
    std::memcpy(own_secret_.data() + at, &part, sizeof part);
  }
}

Daemon::~Daemon() {
  ending_.reset();
  persistence_.finish();  // while agents_ exists: it knows the digests that are stored with endpoints
  if (sweep_timer_) loop_.cancel(*sweep_timer_);
  for (const auto& timer : {forget_timer_, heartbeat_timer_, rate_limit_timer_, serving_timer_}) {
    if (timer) loop_.cancel(*timer);
  }
}

Result<void> Daemon::start() {
  log::info("starting", {{"version", kVersion}, {"instance", parts_.instance}});
  const bool keeps_records = configuration_.file.has_replica() ||
                             (configuration_.federation() && !configuration_.file.federation().store().has_memory());
  ending_.emplace();
  if (keeps_records) {
    if (auto seen = snapshot_file::check_folder(configuration_.file.data_dir()); !seen) return seen;
    guard_data_folder(configuration_.file.data_dir());
  }
  budget_descriptors();
  if (configuration_.tls) parts_.tls = &tls_watch_.emplace(*configuration_.tls, clock_, loop_);
  catalog_.set_capacity(configuration_.file.dns().max_records());
  catalog_.set_loopback(configuration_.loopback());
  catalog_.set_serial(static_cast<std::uint32_t>(clock_.unix_seconds()));
  if (auto done = serve_kept_answers(); !done) return done;
  if (auto done = read_endpoints(configuration_); !done) return done;
  mesh_file_.apply(configuration_, clock_.now(), clock_.unix_seconds());
  if (auto done = open_store(); !done) return done;
  if (!dns_) publisher_.release();
  if (configuration_.file.has_replica()) return start_replica();
  override_rounds_.watch();
  const bool can_answer = !configuration_.federation() || !persistence_.knows_nothing();
  start_federation();  // makes the feed on this thread while the compile thread makes the first table
  if (can_answer && !dns_) {
    if (auto done = start_dns(); !done) return done;
  }
  start_external_names();
  if (auto done = start_admin(); !done) return done;
  schedule_forgetting();
  process::release_free_memory();  // the store's rows and the first tables have left much of it
  if (can_answer) {
    become_ready();
  } else {
    log::warn("nothing is known: DNS is not served until the recovery is over");
  }
  return {};
}

Result<void> Daemon::open_store() {
  if (!configuration_.federation()) return {};
  agents_.emplace(
      federation::Agents::Environment{catalog_, clock_, loop_, parts_.instance, [this] { records_changed(); },
                                      [this](const std::string& node) { agent_synced(node); },
                                      [this](const std::string& endpoint) { persistence_.told(endpoint); }});
  parts_.agents = &*agents_;
  // After a restart ten thousand agents may connect at once, and an agent that is refused waits longer each time. So
  // the port is open before the store is read, which takes a while for a million records.
  if (auto done = listen_for_agents(); !done) return done;
  parts_.persistence = &persistence_;
  auto opened =
      persistence_.open({configuration_.file.data_dir(), configuration_.database()},
                        {.of = [this](const model::Endpoint& endpoint) { return agents_->digest_of(endpoint); },
                         .restored = [this](const model::Endpoint& endpoint,
                                            std::uint64_t digest) { agents_->restored(endpoint, digest); }});
  if (!opened) return opened;
  recovery_.emplace(persistence_.kept(), clock_.now(), persistence_.loss());
  parts_.recovery = &*recovery_;
  for (const std::string& node : persistence_.restored()) {
    recovery_->restored(node);
    if (!model::is_silent(catalog_.records(), node)) agents_->expect(node);
  }
  watch_recovery();
  return {};
}

void Daemon::agent_synced(const std::string& node) {
  const bool was_provisional = recovery_->synced(node, clock_.now());
  if (was_provisional && watchers_) watchers_->confirmed(node);
}

void Daemon::watch_recovery() {
  recovery_->look(clock_.now());
  if (std::exchange(recovering_told_, recovery_->recovering()) == recovery_->recovering()) return;
  if (recovery_->recovering()) {
    persistence_.found_lost(recovery_->claimed());
    log::warn("recovering: the store was lost, nothing is removed until the agents have reported",
              {{"nodes", catalog_.records().nodes.size()}, {"endpoints", catalog_.records().endpoints.size()}});
    return;
  }
  log::info("recovered", {{"agents", recovery_->agents()}, {"endpoints", catalog_.records().endpoints.size()}});
  persistence_.recovered();
  serve_first_records();
}

void Daemon::become_ready() {
  publisher_.release();
  publisher_.flush();  // clients ask as soon as the process says that it is ready
  parts_.ready = true;
  warm_start_.keep_later();
  log::info("ready", {{"hosts", publisher_.hosts()}});
}

Result<void> Daemon::start_replica() {
  if (auto done = start_admin(); !done) return done;
  const auto& servers = configuration_.file.replica().federation();
  local_overrides_.emplace(LocalOverrides::Environment{clock_, catalog_, objects_, publisher_, parts_.instance,
                                                       configuration_.file.data_dir()});
  parts_.local_overrides = &*local_overrides_;
  replica_.emplace(
      loop_, clock_, catalog_, objects_,
      Replica::Options{
          .watch = {{servers.begin(), servers.end()}, random_seed(), rpc::channel_credentials(configuration_.tls)},
          .name = parts_.instance,
          .folder = configuration_.file.data_dir(),
          .changed = [this] { serve_first_records(); },
          .answers = [this] { return publisher_.pin(); },
          .keep_answers =
              [this](const auto& table, std::uint64_t of) {
                if (!local_overrides_->any()) warm_start_.keep(table, of);  // the snapshot lacks local ones
              }});
  parts_.replica = &*replica_;
  freshness_.emplace(loop_, publisher_,
                     publish::Freshness::Source{.silence = [this] { return replica_->silence(); },
                                                .stale_after = [this] { return configuration_.stale_after(); }});
  local_overrides_->restore();
  const bool restored = replica_->restore();
  override_rounds_.watch();
  if (restored) {
    publisher_.changed();
    publisher_.set_stale(replica_->silence() > configuration_.stale_after());
    if (!dns_) {
      if (auto done = start_dns(); !done) return done;
    }
    become_ready();
  } else if (auto done = start_not_ready(); !done) {
    return done;
  }
  replica_->start();
  freshness_->watch();
  return {};
}

void Daemon::tell_of_room() {
  if (catalog_.full() == full_) return;
  full_ = catalog_.full();
  const auto most = configuration_.file.dns().max_records();
  if (full_) {
    log::error("refuses more records", {{"max_records", most}});
  } else {
    log::info("takes more records again", {{"records", catalog_.size()}, {"max_records", most}});
  }
}

Result<void> Daemon::listen_for_agents() {
  auto service = federation::FederationService::listen(
      loop_, clock_, *agents_, [this]() -> federation::Watchers& { return *watchers_; },
      {.address = configuration_.file.federation().listen(),
       .credentials = rpc::server_credentials(configuration_.tls),
       .also = {admin::calls_from_afar(loop_, view_)},
       .connections = {.connections = budget_.federation, .per_address = budget_.per_address}});
  if (!service) return service.error();
  federation_ = std::move(*service);
  parts_.federation_address = federation_->bound();
  parts_.acceptor = federation_->acceptor();
  parts_.streams = federation_->streams();
  log::info("federation listening", {{"address", federation_->bound()},
                                     {"tls", configuration_.tls.has_value()},
                                     {"connections", budget_.federation}});
  return {};
}

void Daemon::start_federation() {
  if (!configuration_.federation()) return;
  v1::Origin origin;
  origin.set_cluster(configuration_.file.cluster());
  origin.set_instance(host_name());
  feed_.emplace(
      catalog_, origin, persistence_.epoch(),
      [this](catalog::RecordType type, const std::string& key) { return objects_.find(type, key); }, &*recovery_);
  if (!configuration_.file.federation().store().has_memory()) {
    keeper_.emplace(loop_, clock_, post_to(loop_),
                    snapshot_file::SnapshotKeeper::Options{
                        .path = configuration_.file.data_dir() + "/" + persistence::kFederationSnapshot,
                        .interval = kSeedInterval,
                        .blocks = [this] {
                          feed_->update();
                          return feed_->blocks(clock_.now(), snapshot_file::SnapshotKeeper::kBlockRecords);
                        }});
  }
  feed_->set_brakes(&agents_->brakes());
  feed_->set_serial_anchor(static_cast<std::uint32_t>(clock_.unix_seconds()));
  watchers_.emplace(*feed_, clock_, loop_);
  parts_.watchers = &*watchers_;
  schedule_sweep();
  schedule_heartbeat();
}

void Daemon::wire_record_changes() {
  changes_.on({catalog::RecordType::VirtualDestination}, [this] {
    if (external_names_) external_names_->look();
  });
  changes_.on_any([this] {
    publisher_.changed();
    if (watchers_) watchers_->changed();
    if (keeper_) keeper_->save_later();
  });
}

void Daemon::records_changed() {
  tell_of_room();
  changes_.look();
}

void Daemon::schedule_heartbeat() {
  heartbeat_timer_ = loop_.after(federation::Watchers::kHeartbeat / federation::Watchers::kSlices, [this] {
    watchers_->heartbeat_slice();
    watchers_->end_silent_streams();
    agents_->end_silent_streams();
    publisher_.changed();  // the serial moves on if a replica has seen a newer one than ours
    schedule_heartbeat();
  });
}

Result<void> Daemon::start_admin() {
  const auto& admin = configuration_.file.admin();
  const auto address = SocketAddress::parse(admin.listen());
  if (!address) return address.error();
  std::vector<std::string> hosts(admin.hosts().begin(), admin.hosts().end());
  hosts.push_back(parts_.instance.substr(parts_.instance.find('/') + 1));
  auto http = http::Server::listen(
      loop_, *address, admin::http_api(view_),
      {.hosts = std::move(hosts), .refused = &registry_.counter(http::kRefusedRequests, http::kRefusedHelp)});
  if (!http) return http.error().with_context("admin");
  http_ = std::move(*http);
  log::info("admin listening", {{"address", http_->bound().text()}});
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(admin.socket()).parent_path(), ignored);
  auto service = admin::AdminService::listen(loop_, clock_, view_, admin.socket());
  if (!service) return service.error().with_context("admin");
  admin_ = std::move(*service);
  log::info("admin socket", {{"path", admin.socket()}});
  return {};
}

void Daemon::schedule_sweep() {
  sweep_timer_ = loop_.after(federation::Leases::sweep_interval(), [this] {
    if (!recovery_->recovering()) agents_->sweep();
    watch_recovery();
    schedule_sweep();
  });
}

void Daemon::schedule_forgetting() {
  forget_timer_ = loop_.after(std::min(kForgetInterval, configuration_.forget_after()), [this] {
    const bool recovering = recovery_ && recovery_->recovering();
    if (!agents_) catalog_.forget(configuration_.forget_after(), clock_.now());
    if (agents_ && !recovering) {
      agents_->forget(configuration_.forget_after());
      records_changed();
    }
    schedule_forgetting();
  });
}

void Daemon::reload() {
  if (path_.empty()) return;
  service_.reload_begins();
  auto next = load_configuration(path_);
  if (!next) return reload_failed(trim(next.error().message()));
  parts_.reload = {keep_what_cannot_change(configuration_, *next), ""};
  if (const auto& kept = parts_.reload.restart_needed; !kept.empty()) {
    log::warn("restart needed", {{"for", join(kept, ", ")}});
    next->digest = 0;  // answers follow from a mix of old and new settings, which no file describes
  }
  configuration_ = std::move(*next);
  config::apply_log(configuration_.file.log());
  catalog_.set_capacity(configuration_.file.dns().max_records());
  mesh_file_.apply(configuration_, clock_.now(), clock_.unix_seconds());
  if (external_names_) configure_external_names();
  // zones may have other records now; replicas hear of the new serial at the next heartbeat
  if (!replica_) catalog_.pass_serial(catalog_.serial());
  publisher_.configure(settings_as_bound(), configuration_.static_records);
  warm_start_.configuration_changed();
  warm_start_.keep_later();
  if (dns_) dns_->set_policy(policy());
  last_load_.set(static_cast<double>(clock_.unix_seconds()));
  log::info("reloaded", {{"hosts", publisher_.hosts()}});
  service_.reload_ended("reloaded: " + ServiceReport::status(parts_));
}

void Daemon::reload_failed(std::string_view problems) {
  failed_reloads_.add();
  const auto lines = split(problems, '\n');
  for (const std::string_view line : lines) {
    log::error("reload failed, the old configuration stays", {{"problem", line}});
  }
  parts_.reload.problem = lines.front();
  service_.reload_ended("reload failed, the old configuration stays: " + std::string(lines.front()));
}

void Daemon::stop() {
  if (std::exchange(stopping_, true)) return;  // a second signal, or a signal after a failure
  log::info("stopping");
  service_.stopping();
  parts_.ready = false;
  events_.shut_down();
  if (agents_) agents_->shut_down();
  if (watchers_) watchers_->shut_down();
  if (replica_) return replica_->stop([this] { end_servers(); });
  end_servers();
}

void Daemon::end_servers() {
  // The end of gRPC waits for calls that this loop answers. On the control thread it would wait for itself.
  ending_->run([this] {
    admin_.reset();
    federation_.reset();
    if (dns_) dns_->stop();
    loop_.stop();
  });
}

}  // namespace meshdns::app
