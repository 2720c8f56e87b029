#include "dnsd/app/daemon.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/log/log.h"
#include "dnsd/admin/http_api.h"
#include "dnsd/app/dns_metrics.h"
#include "dnsd/app/version.h"

namespace meshdns::app {
namespace {

constexpr Duration kForgetInterval = 10s;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

bool same_listeners(const answers::Settings& a, const answers::Settings& b) {
  return std::ranges::equal(a.listeners, b.listeners, {}, &answers::ListenerSettings::text,
                            &answers::ListenerSettings::text);
}

}  // namespace

Daemon::Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path)
    : loop_(loop),
      clock_(clock),
      configuration_(std::move(configuration)),
      path_(std::move(path)),
      parts_{.clock = clock, .started = clock.now(), .instance = configuration_.file.cluster() + "/" + host_name()},
      objects_(catalog_, parts_.instance),
      publisher_(catalog_, clock, loop),
      mesh_file_(catalog_, objects_),
      view_(parts_, registry_),
      failed_reloads_(registry_.counter("meshdns_config_failed_reloads_total", "reloads whose file was wrong")) {
  parts_.configuration = &configuration_;
  parts_.catalog = &catalog_;
  parts_.objects = &objects_;
  parts_.publisher = &publisher_;
  register_metrics(registry_, parts_);
}

Daemon::~Daemon() {
  if (stopper_.joinable()) stopper_.join();
  if (sweep_timer_) loop_.cancel(*sweep_timer_);
  if (forget_timer_) loop_.cancel(*forget_timer_);
}

Result<void> Daemon::start() {
  log::info("starting", {{"version", kVersion}, {"instance", parts_.instance}});
  mesh_file_.apply(configuration_, clock_.now(), clock_.unix_seconds());
  publisher_.configure(configuration_.answers, configuration_.static_records);
  if (auto done = start_dns(); !done) return done;
  if (auto done = start_federation(); !done) return done;
  if (auto done = start_admin(); !done) return done;
  parts_.ready = true;
  schedule_forgetting();
  log::info("ready", {{"hosts", publisher_.compiled().plan.hosts.size()}});
  return {};
}

Result<void> Daemon::start_dns() {
  server::ServerOptions options = configuration_.dns_options();
  options.seed = random_seed();
  auto dns = server::DnsServer::start(options, publisher_.table(), clock_);
  if (!dns) return dns.error();
  dns_ = std::move(*dns);
  parts_.dns = dns_.get();
  for (std::size_t i = 0; i < dns_->bound().size(); ++i) {
    log::info("dns listening", {{"address", dns_->bound()[i].text()},
                                {"locality", configuration_.answers.listeners[i].locality.text()},
                                {"workers", options.workers}});
  }
  publisher_.configure(settings_as_bound(), configuration_.static_records);
  return {};
}

answers::Settings Daemon::settings_as_bound() const {
  answers::Settings settings = configuration_.answers;
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) settings.listeners[i].text = dns_->bound()[i].text();
  return settings;
}

Result<void> Daemon::start_federation() {
  if (!configuration_.federation()) return {};
  agents_.emplace(
      federation::Agents::Environment{catalog_, clock_, loop_, parts_.instance, [this] { publisher_.changed(); }});
  parts_.agents = &*agents_;
  auto service = federation::FederationService::listen(loop_, *agents_, configuration_.file.federation().listen());
  if (!service) return service.error();
  federation_ = std::move(*service);
  parts_.federation_address = federation_->bound();
  log::info("federation listening", {{"address", federation_->bound()}});
  schedule_sweep();
  return {};
}

Result<void> Daemon::start_admin() {
  const auto& admin = configuration_.file.admin();
  const auto address = SocketAddress::parse(admin.listen());
  if (!address) return address.error();
  auto http = http::Server::listen(loop_, *address, admin::http_api(view_));
  if (!http) return http.error().with_context("admin");
  http_ = std::move(*http);
  log::info("admin listening", {{"address", http_->bound().text()}});
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(admin.socket()).parent_path(), ignored);
  auto service = admin::AdminService::listen(loop_, view_, admin.socket());
  if (!service) return service.error().with_context("admin");
  admin_ = std::move(*service);
  log::info("admin socket", {{"path", admin.socket()}});
  return {};
}

void Daemon::schedule_sweep() {
  sweep_timer_ = loop_.after(federation::Leases::sweep_interval(), [this] {
    agents_->sweep();
    schedule_sweep();
  });
}

void Daemon::schedule_forgetting() {
  forget_timer_ = loop_.after(std::min(kForgetInterval, configuration_.forget_after()), [this] {
    catalog_.forget(configuration_.forget_after(), clock_.now());
    publisher_.changed();
    schedule_forgetting();
  });
}

void Daemon::keep_what_cannot_change(Configuration& next) const {
  std::vector<std::string> kept;
  const auto keep = [&](const char* what, bool differs) {
    if (differs) kept.emplace_back(what);
    return differs;
  };
  if (keep("dns.listen", !same_listeners(next.answers, configuration_.answers))) {
    next.answers.listeners = configuration_.answers.listeners;
    *next.file.mutable_dns()->mutable_listen() = configuration_.file.dns().listen();
  }
  keep("cluster", next.file.cluster() != configuration_.file.cluster());
  keep("federation.listen", next.file.federation().listen() != configuration_.file.federation().listen());
  keep("dns.workers", next.file.dns().workers() != configuration_.file.dns().workers());
  const auto& admin = configuration_.file.admin();
  keep("admin", next.file.admin().listen() != admin.listen() || next.file.admin().socket() != admin.socket());
  if (!kept.empty()) log::warn("restart needed", {{"for", join(kept, ", ")}});
}

void Daemon::reload() {
  if (path_.empty()) return;
  auto next = load_configuration(path_);
  if (!next) {
    failed_reloads_.add();
    log::error("reload failed, the old configuration stays", {});
    for (const std::string_view line : split(trim(next.error().message()), '\n')) {
      log::error("configuration", {{"problem", line}});
    }
    return;
  }
  keep_what_cannot_change(*next);
  configuration_ = std::move(*next);
  mesh_file_.apply(configuration_, clock_.now(), clock_.unix_seconds());
  publisher_.configure(settings_as_bound(), configuration_.static_records);
  log::info("reloaded", {{"hosts", publisher_.compiled().plan.hosts.size()}});
}

void Daemon::stop() {
  log::info("stopping");
  parts_.ready = false;
  if (agents_) agents_->shut_down();
  // ending gRPC waits for calls whose answers come from this loop: it must go on meanwhile
  stopper_ = std::thread([this] {
    admin_.reset();
    federation_.reset();
    dns_->stop();
    loop_.stop();
  });
}

}  // namespace meshdns::app
