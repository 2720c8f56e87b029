#include "dnsd/app/daemon.h"

#include <filesystem>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "common/base/descriptor_limit.h"
#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/config/log_settings.h"
#include "common/log/log.h"
#include "common/metrics/samples.h"
#include "common/process/memory.h"
#include "common/process/passed_sockets.h"
#include "common/process/post_to.h"
#include "common/process/process_metrics.h"
#include "dnsd/admin/http_api.h"
#include "dnsd/app/data_folder.h"
#include "dnsd/app/federation_role.h"
#include "dnsd/app/file_role.h"
#include "dnsd/app/mesh_metrics.h"
#include "dnsd/app/own_certificate.h"
#include "dnsd/app/reload.h"
#include "dnsd/app/replica_role.h"
#include "dnsd/app/version.h"
#include "dnsd/snapshot_file/kept_records.h"

namespace meshdns::dnsd::app {

Daemon::Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path)
    : loop_(loop),
      clock_(clock),
      configuration_(std::move(configuration)),
      path_(std::move(path)),
      process_{.configuration = configuration_,
               .instance = configuration_.file.cluster() + "/" + host_name(),
               .started = clock.now()},
      failed_reloads_(registry_.counter("meshdns_config_failed_reloads_total", "reloads whose file was wrong")),
      last_load_(registry_.gauge("meshdns_config_last_load_seconds",
                                 "when the configuration that runs was read, in seconds since 1970")),
      catalog_(configuration_.file.has_replica() ? 0 : catalog::Catalog::kLogLength),  // nobody follows a replica
      audit_(clock, loop, [this] { return catalog_.revision(); }),
      changes_(catalog_),
      objects_(catalog_, process_.instance),
      publisher_(catalog_, clock, loop, process::post_to(loop)),
      counts_(catalog_, publisher_.planner()),
      lint_names_(catalog_, counts_),
      mesh_{clock, catalog_, objects_, publisher_, counts_, lint_names_},
      events_(catalog_, publisher_, clock, loop),
      warm_start_(warm_start_options(configuration_), publisher_, clock, loop),
      dns_({loop, clock, configuration_, budget_, publisher_, process::passed_sockets()}),
      source_(make_source()),
      hostnames_({loop, clock, configuration_, catalog_, [this] { records_changed(); }}),
      forwarders_({loop, clock, configuration_, [this](auto found) { dns_.add_forwarders(std::move(found)); }}),
      roles_{source_.get(), &hostnames_, &dns_, &forwarders_, &certificates_},
      serving_({loop, process_, mesh_, dns_, warm_start_,
                [this] {
                  if (started_) tell_of_start();
                },
                [this] {
                  failed_ = true;
                  stop();
                }}),
      view_({process_, mesh_, registry_, loop, events_, *source_, hostnames_, dns_, roles_}),
      service_(process::NotifyEnvironment::of_process(), loop, {process_, mesh_, *source_, dns_}),
      override_rounds_({loop, clock, catalog_, [this] { source_->expire_overrides(); }}) {
  registry_.collect_with([this](auto& out) { collect(out); });
  process::register_process_metrics(registry_, "meshdnsd", kVersion, clock.unix_seconds());
  last_load_.set(static_cast<double>(clock.unix_seconds()));
  wire_record_changes();
}

Daemon::~Daemon() {
  ending_.reset();
  source_->end();  // after a failed start: the calls at its port refer to view_
}

std::unique_ptr<RecordSource> Daemon::make_source() {
  const auto records_changed = [this] { this->records_changed(); };
  const auto serve = [this] { serve_first_records(); };
  if (configuration_.file.has_replica()) {
    return std::make_unique<ReplicaRole>(ReplicaRole::Environment{loop_, process_, mesh_, events_, warm_start_, serve});
  }
  if (!configuration_.federation()) {
    return std::make_unique<FileRole>(FileRole::Environment{loop_, configuration_, mesh_, events_, records_changed});
  }
  const auto calls = [this]() -> admin::Mesh& { return view_; };
  auto federation = std::make_unique<FederationRole>(
      FederationRole::Environment{loop_, process_, mesh_, events_, budget_, audit_, calls, records_changed, serve});
  const auto& lease = configuration_.kubernetes.lease;
  if (!lease) return federation;
  lease::LeaseMachine::Limits limits;
  limits.duration = lease->duration;
  limits.renew = lease->duration / 5;
  limits.margin = lease->duration / 10;
  auto leased = std::make_unique<LeasedRole>(
      std::move(federation),
      LeasedRole::Environment{loop_,
                              clock_,
                              {.server = lease->server,
                               .namespace_ = lease->namespace_,
                               .name = lease->name,
                               .identity = process_.instance + "_" + fmt::format("{:08x}", random_seed() & 0xffffffffU),
                               .limits = limits}});
  leased_ = leased.get();
  return leased;
}

snapshot_file::WarmStart::Options Daemon::warm_start_options(const Configuration& configuration) {
  using Records = snapshot_file::WarmStart::Records;
  const Records here = configuration.file.has_replica() ? Records::Snapshot : Records::EndpointsFile;
  return {.folder = configuration.file.data_dir(),
          .records = configuration.federation() ? Records::Store : here,
          .configured =
              [&configuration] {
                return snapshot_file::WarmStart::Configured{configuration.digest, configuration.mesh_digest};
              },
          .stale_after = [&configuration] { return configuration.stale_after(); }};
}

Result<void> Daemon::start() {
  log::info("starting", {{"version", kVersion}, {"instance", process_.instance}});
  if (auto done = prepare(); !done) return done;
  if (leased_ != nullptr) return start_standby();
  if (auto done = serving_.start_with_kept_answers(); !done) return done;
  if (auto done = read_endpoints(configuration_); !done) return done;
  return configuration_.file.has_replica() ? start_replica() : start_origin();
}

void Daemon::started() {
  started_ = true;
  if (!serving_.comes()) tell_of_start();
}

void Daemon::tell_of_start() {
  if (!std::exchange(start_told_, true)) service_.ready();
}

Result<void> Daemon::prepare() {
  const bool keeps_records = configuration_.file.has_replica() ||
                             (configuration_.federation() && !configuration_.file.federation().store().has_memory());
  ending_.emplace();
  if (keeps_records) {
    if (auto seen = snapshot_file::check_folder(configuration_.file.data_dir()); !seen) return seen;
    guard_data_folder(configuration_.file.data_dir());
  }
  audit_.write_to(configuration_.audit_file());
  budget_descriptors();
  if (configuration_.signs_own()) {
    const auto done = certificates_.sign(own_certificate(configuration_), clock_, loop_);
    if (!done) return done.error().with_context("federation.authority");
  }
  if (configuration_.kubernetes.authority_secret)
    certificates_.follow(*configuration_.kubernetes.authority_secret, clock_, loop_);
  certificates_.start(configuration_.tls, clock_, loop_);
  if (configuration_.joins()) certificates_.renew(configuration_.member(), clock_, loop_);
  catalog_.set_capacity(configuration_.file.dns().max_records());
  catalog_.set_loopback(configuration_.loopback());
  catalog_.set_serial(static_cast<std::uint32_t>(clock_.unix_seconds()));
  forwarders_.start();
  return {};
}

void Daemon::budget_descriptors() {
  const auto wanted = configuration_.connections();
  if (!configuration_.federation()) {
    budget_.dns = wanted.dns;
    return;
  }
  const std::size_t limit = raise_descriptor_limit(std::numeric_limits<std::size_t>::max());
  budget_ = DescriptorBudget::of(limit, wanted);
  const auto tell = [limit](const char* what, std::size_t most, std::size_t asked) {
    if (most < asked) log::warn("fewer connections than configured", {{"key", what}, {"most", most}, {"limit", limit}});
  };
  tell("dns.tcp.connections", budget_.dns, wanted.dns);
  tell("federation.max_connections", budget_.federation, wanted.federation);
}

Result<void> Daemon::start_origin() {
  const auto answerable = source_->open();
  if (!answerable) return answerable.error();
  serving_.release_unless_served();
  override_rounds_.watch();
  source_->start();  // a federation makes its feed on this thread while the compile thread makes the first table
  // Before DNS is served: who has read `ready` in the log may use the socket. A standby has it already.
  if (leased_ == nullptr) {
    if (auto done = start_admin(); !done) return done;
  }
  if (*answerable) {
    if (auto done = serving_.begin(); !done) return done;
  } else {
    log::warn("nothing is known: DNS is not served until the recovery is over");
  }
  hostnames_.start();
  return {};
}

Result<void> Daemon::start_standby() {
  if (auto done = start_admin(); !done) return done;
  leased_->campaign({.acquired = [this] { lead(); },
                     .lost =
                         [this](const std::string&) {
                           failed_ = true;
                           stop();
                         }});
  return {};
}

void Daemon::lead() {
  if (stopping_) return;
  auto led = serving_.start_with_kept_answers();
  if (led) led = start_origin();
  if (led) return;
  log::error("cannot lead", {{"error", led.error()}});
  failed_ = true;
  stop();
}

Result<void> Daemon::start_replica() {
  serving_.release_unless_served();
  if (auto done = start_admin(); !done) return done;
  const auto answerable = source_->open();
  if (!answerable) return answerable.error();
  override_rounds_.watch();
  if (*answerable) {
    if (auto done = serving_.begin(); !done) return done;
  } else if (auto done = serving_.start_not_ready(); !done) {
    return done;
  }
  source_->start();
  return {};
}

Result<void> Daemon::start_admin() {
  const auto& admin = configuration_.file.admin();
  const auto address = SocketAddress::parse(admin.listen());
  if (!address) return address.error();
  std::vector<std::string> hosts(admin.hosts().begin(), admin.hosts().end());
  hosts.push_back(process_.instance.substr(process_.instance.find('/') + 1));
  auto http = http::Server::listen(loop_, *address, admin::http_api(view_),
                                   {.hosts = std::move(hosts),
                                    .public_parts = {admin.public_().begin(), admin.public_().end()},
                                    .refused = &registry_.counter(http::kRefusedRequests, http::kRefusedHelp)});
  if (!http) return http.error().with_context("admin");
  http_ = std::move(*http);
  log::info("admin listening", {{"address", http_->bound().text()}});
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(admin.socket()).parent_path(), ignored);
  auto service = admin::AdminService::listen(loop_, clock_, view_, audit_, admin.socket());
  if (!service) return service.error().with_context("admin");
  admin_ = std::move(*service);
  log::info("admin socket", {{"path", admin.socket()}});
  return {};
}

void Daemon::wire_record_changes() {
  changes_.on({catalog::RecordType::VirtualDestination}, [this] { hostnames_.look(); });
  changes_.on_any([this] {
    publisher_.changed();
    source_->changed();
  });
}

void Daemon::records_changed() {
  tell_of_room();
  changes_.look();
}

void Daemon::serve_first_records() {
  publisher_.set_not_ready(false);
  publisher_.changed();
  tell_of_room();
  serving_.begin_or_try_again();
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

void Daemon::collect(std::vector<metrics::Sample>& out) const {
  for (const Role* role : roles_) role->collect(out);
  view_.collect(out);
  add_mesh(out, mesh_, warm_start_);
  if (!audit_.has_file()) return;
  metrics::gauge(out, "meshdns_audit_file_usable", "whether the file of the audit can be written", {},
                 audit_.file_usable() ? 1.0 : 0.0);
  metrics::count(out, "meshdns_audit_lost_entries_total", "entries that are missing in the file of the audit", {},
                 audit_.lost());
}

void Daemon::reload() {
  if (path_.empty()) return;
  service_.reload_begins();
  auto next = load_configuration(path_);
  if (!next) {
    audit_.write_to(configuration_.audit_file());  // the file may have been moved away, whatever the configuration is
    return reload_failed(trim(next.error().message()));
  }
  process_.reload = {keep_what_cannot_change(configuration_, *next), ""};
  if (const auto& kept = process_.reload.restart_needed; !kept.empty()) {
    log::warn("restart needed", {{"for", join(kept, ", ")}});
    next->digest = 0;  // answers follow from a mix of old and new settings, which no file describes
  }
  configuration_ = std::move(*next);
  config::apply_log(configuration_.file.log());
  audit_.write_to(configuration_.audit_file());
  catalog_.set_capacity(configuration_.file.dns().max_records());
  if (!source_->standby()) {  // a standby serves nothing, and keeps nothing
    for (Role* role : roles_) role->reload();
    warm_start_.configuration_changed();
    warm_start_.keep_later();
  }
  last_load_.set(static_cast<double>(clock_.unix_seconds()));
  log::info("reloaded", {{"hosts", publisher_.hosts()}});
  service_.reload_ended("reloaded: " + service_.status());
}

void Daemon::reload_failed(std::string_view problems) {
  failed_reloads_.add();
  const auto lines = split(problems, '\n');
  for (const std::string_view line : lines) {
    log::error("reload failed, the old configuration stays", {{"problem", line}});
  }
  process_.reload.problem = lines.front();
  service_.reload_ended("reload failed, the old configuration stays: " + std::string(lines.front()));
}

void Daemon::stop() {
  if (std::exchange(stopping_, true)) return;  // a second signal, or a signal after a failure
  log::info("stopping");
  service_.stopping();
  serving_.stop();
  events_.shut_down();
  source_->stop([this] { end_servers(); });
}

void Daemon::end_servers() {
  // The end of gRPC waits for calls that this loop answers. On the control thread it would wait for itself.
  ending_->run([this] {
    admin_.reset();
    for (Role* role : roles_) role->end();
    loop_.stop();
  });
}

}  // namespace meshdns::dnsd::app
