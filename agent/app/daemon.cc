#include "agent/app/daemon.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "agent/admin/command_api.h"
#include "agent/admin/http_api.h"
#include "agent/app/agent_metrics.h"
#include "agent/app/check_limits.h"
#include "agent/app/own_place.h"
#include "agent/app/probe_factory.h"
#include "agent/app/status.h"
#include "agent/app/version.h"
#include "agent/probes/tcp_probe.h"
#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/config/log_settings.h"
#include "common/log/log.h"
#include "common/metrics/samples.h"
#include "common/model/sources.h"
#include "common/process/process_metrics.h"
#include "common/rpc/credentials.h"

namespace meshdns::agent::app {
namespace {

constexpr Duration kRefreshInterval = 1s;

report::ReporterOptions reporter_options(const Configuration& configuration, report::NodeDescription node,
                                         std::function<void(const std::vector<report::MeasureTarget>&)> measure,
                                         std::function<void(const std::vector<report::PortMapping>&)> map_ports) {
  return {configuration.servers(),
          std::move(node),
          configuration.instance_uid,
          configuration.boot_id,
          random_seed(),
          rpc::channel_credentials(configuration.tls, configuration.expected_federation()),
          std::move(measure),
          configuration.maps_ports() ? std::move(map_ports) : nullptr};
}

}  // namespace

Daemon::Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path)
    : loop_(loop),
      clock_(clock),
      configuration_(std::move(configuration)),
      path_(std::move(path)),
      failed_reloads_(registry_.counter("meshdns_config_failed_reloads_total", "reloads whose file was wrong")),
      last_load_(registry_.gauge("meshdns_config_last_load_seconds",
                                 "when the configuration that runs was read, in seconds since 1970")),
      programs_(configuration_.programs()),
      units_(loop),
      syncer_(report::wire_codec()),
      reporter_(
          loop, clock,
          reporter_options(
              configuration_, {[this](const auto& federation) { return node_for(federation); }, must_know_federation()},
              [this](const std::vector<report::MeasureTarget>& targets) { measure(targets); },
              [this](const std::vector<report::PortMapping>& wanted) { mapping_.set(wanted); }),
          syncer_),
      mapping_({clock, loop, syncer_, [this] { reporter_.changed(); }, mapping_machine()},
               configuration_.maps_ports() ? std::optional(configuration_.node.locality.node) : std::nullopt),
      local_(clock, loop, configuration_,
             {[this](const model::Endpoint& endpoint) { mapping_.put(endpoint); },
              [this](const std::string& key) {
                syncer_.remove(key);
                reporter_.changed();
              }}),
      events_(loop, clock, registry_,
              {[this](const SocketAddress& where) { return monitor_.closed(where); },
               [this](const SocketAddress& where) { return monitor_.opened(where); }, [this] { follow_addresses(); }}),
      monitor_(clock, loop,
               [this](const probes::Place& place, const discovery::CheckSpec& check) {
                 return make_probe({loop_, clock_, local_.board, monitor_.services(), tls_, grpc_, programs_, units_},
                                   place, check);
               },
               {[this](const model::Endpoint& endpoint) {
                  events_.told(endpoint);
                  local_.drains.put(endpoint);
                },
                [this](const std::string& key) {
                  events_.removed(key);
                  local_.drains.remove(key);
                }},
               {configuration_.node.key, random_seed(), check_limits(configuration_)}),
      measurer_(
          clock, loop, [&loop](const SocketAddress& where) { return std::make_unique<probes::TcpProbe>(loop, where); },
          [this](const report::Measurement& found) {
            syncer_.measured(found);
            reporter_.changed();
          },
          random_seed()),
      commands_({clock, local_, syncer_, monitor_, configuration_.node.locality.node, [this] { take_listing(); }}),
      departure_({loop, syncer_, reporter_, configuration_.node.key}),
      service_(process::NotifyEnvironment::of_process(), clock, loop) {
  registry_.collect_with([this](std::vector<metrics::Sample>& out) {
    collect_samples(monitor_, measurer_, syncer_, out);
    local_.collect(out);
  });
  registry_.collect_with([this](std::vector<metrics::Sample>& out) {
    metrics::gauge(out, "meshdns_agent_connected", "1 while the federation listens", {},
                   reporter_.connected() ? 1.0 : 0.0);
    metrics::count(out, "meshdns_agent_clamped_values_total", "durations of federations that were out of bounds", {},
                   reporter_.clamped());
    collect_place(configuration_, described(), out);
    if (tls_watch_) rpc::collect_samples(*tls_watch_, out);
    if (pods_) pods_->collect(out);
    events_.collect(out);
    if (containers_ != nullptr) containers_->collect(out);
    mapping_.collect(out);
  });
  process::register_process_metrics(registry_, "meshdns-agent", kVersion, clock.unix_seconds());
  last_load_.set(static_cast<double>(clock.unix_seconds()));
}

Daemon::~Daemon() {
  if (refresh_timer_) loop_.cancel(*refresh_timer_);
}

Result<void> Daemon::start() {
  log::info("starting", {{"version", kVersion},
                         {"node", configuration_.node.key},
                         {"locality", configuration_.node.locality.text()},
                         {"endpoints", configuration_.directory}});
  log_place(configuration_);
  if (configuration_.tls) tls_watch_.emplace(*configuration_.tls, clock_, loop_);
  if (configuration_.joins()) renewal_.emplace(loop_, clock_, configuration_.member());
  if (auto done = listen(); !done) return done;
  events_.open({configuration_.file.namespaces() == "on", configuration_.own_addresses});
  follow_pods();
  follow_containers();
  local_.load();
  local_.sources.refresh();
  take_listing();
  refresh_every_second();
  mapping_.start();
  reporter_.start();
  ready_ = true;
  log::info("ready", {{"endpoints", local_.sources.endpoints().size()}});
  service_.ready({[this] { return service_status(); }, [] { return true; }});
  return {};
}

Result<void> Daemon::listen() {
  const auto& admin = configuration_.file.admin();
  std::vector<std::string> hosts(admin.hosts().begin(), admin.hosts().end());
  hosts.push_back(configuration_.node.locality.node);
  auto http = http::Server::listen(loop_, configuration_.admin_address(), admin::http_api(*this, commands_),
                                   {.hosts = std::move(hosts),
                                    .public_parts = {admin.public_().begin(), admin.public_().end()},
                                    .refused = &registry_.counter(http::kRefusedRequests, http::kRefusedHelp)});
  if (!http) return http.error().with_context("admin.listen");
  http_ = std::move(*http);
  log::info("admin listening", {{"address", http_->bound().text()}});
  const std::string& path = configuration_.file.admin().socket();
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  auto socket =
      http::Server::listen_unix(loop_, path, admin::socket_api(*this, commands_), {.most_body = admin::kLongestBody});
  if (!socket) return socket.error().with_context("admin.socket");
  socket_ = std::move(*socket);
  log::info("admin socket", {{"path", path}});
  return {};
}

void Daemon::follow_pods() {
  if (!configuration_.kubernetes) return;
  pods_ = std::make_unique<KubernetesSource>(
      loop_, clock_, *configuration_.kubernetes,
      KubernetesSource::Events{[this] { take_listing(); }, [this] { reporter_.node_described(); },
                               [this](const std::string& key, const std::string& container) {
                                 if (monitor_.ended(key, container))
                                   log::info("container ended", {{"key", key}, {"container", container}});
                               }});
  pods_->start();
}

void Daemon::follow_containers() {
  if (configuration_.container_sockets.empty()) return;
  auto source = std::make_unique<ContainerSource>(loop_, clock_, configuration_.container_sockets,
                                                  discovery::Defaults{configuration_.node.addresses},
                                                  ContainerSource::Limits(), [this] { take_listing(); });
  containers_ = source.get();
  local_.sources.add(std::move(source));
  containers_->start();
}

bool Daemon::must_know_federation() const {
  return configuration_.own_addresses || std::ranges::any_of(configuration_.node.addresses, &IpAddress::is_loopback);
}

Result<model::Node> Daemon::node_for(const std::optional<IpAddress>& federation) {
  federation_ = federation;
  const bool here = !federation || federation->is_loopback();
  if (configuration_.own_addresses) {
    const auto addresses = routed_addresses(federation);
    if (addresses.empty()) {
      if (!std::exchange(without_address_, true)) {
        log::warn("this machine has no address yet that others can reach: nothing is reported until it has one");
      }
      return Error(Code::Unavailable, "this machine has no address that others can reach");
    }
    if (std::exchange(without_address_, false))
      log::info("this machine has an address", {{"addresses", texts_of(addresses)}});
    set_addresses(addresses);
    return described();
  }
  const auto& written = configuration_.node.addresses;
  const auto loopback = std::ranges::find_if(written, &IpAddress::is_loopback);
  if (!here && loopback != written.end()) {
    return Error(Code::FailedPrecondition, "addresses: " + loopback->text() +
                                               " is on this machine only, and the federation is not on this machine");
  }
  return described();
}

model::Node Daemon::described() const { return pods_ ? pods_->described(configuration_.node) : configuration_.node; }

void Daemon::measure(const std::vector<report::MeasureTarget>& targets) {
  const bool here = federation_ ? federation_->is_loopback() : configuration_.federation_is_here();
  measurer_.follow(targets, here ? Loopback::Allowed : Loopback::Refused, configuration_.mesh_ports());
}

/// Takes new addresses of the machine. Endpoints without an address of their own get them too.
void Daemon::set_addresses(const std::vector<IpAddress>& addresses) {
  if (addresses == configuration_.node.addresses) return;
  log::info("addresses changed", {{"was", texts_of(configuration_.node.addresses)}, {"now", texts_of(addresses)}});
  configuration_.node.addresses = addresses;
  local_.sources.set_defaults({addresses});
  if (containers_ != nullptr) containers_->set_defaults({addresses});
  take_listing();
}

/// Called when the machine's addresses or routes have changed. A session that reported other addresses is started
/// again. If the addresses are the same nothing is done, because a machine with many routes changes them all the time.
void Daemon::follow_addresses() {
  if (departure_.begun()) return;
  const auto now = routed_addresses(federation_);
  if (now.empty()) return;
  if (without_address_ || now != configuration_.node.addresses) reporter_.node_changed();
}

void Daemon::refresh_every_second() {
  refresh_timer_ = loop_.after(kRefreshInterval, [this] {
    const bool files_changed = local_.sources.refresh();
    if (files_changed || (pods_ && pods_->state_changed())) take_listing();
    trouble_log_.look(troubles_of(monitor_));
    refresh_every_second();
  });
}

void Daemon::take_listing() {
  local_.sources.gather();
  // Set the sources first: set_endpoints() may send at once, and that message must carry the source's new state.
  std::vector<report::SourceState> sources = local_.sources.told();
  // without the source, pods of an earlier run are withdrawn; likewise containers
  if (containers_ == nullptr) sources.push_back({std::string(model::kContainerSource), true, ""});
  sources.push_back(pods_ ? pods_->state() : report::SourceState{std::string(model::kPodSource), true, ""});
  syncer_.set_sources(std::move(sources));
  static const std::vector<discovery::PodEndpoint> kNoPods;
  const auto& pods = pods_ ? pods_->listing().endpoints : kNoPods;
  monitor_.set_endpoints(local_.sources.endpoints(), pods);
  events_.follow(local_.sources.endpoints(), pods);
  reporter_.changed();
}

std::string Daemon::service_status() const {
  std::string out = counted(local_.sources.endpoints().size(), "endpoint") + ", federation " + reporter_.server();
  if (!reporter_.connected()) out += " not reached: " + reporter_.last_error();
  const std::string unread = local_.sources.unread_text(configuration_.node.locality.node);
  return unread.empty() ? out : out + "; " + unread;
}

void Daemon::reload() {
  service_.reload_begins();
  if (!path_.empty()) {
    const auto next = load_configuration(path_, this_machine());
    if (!next) return reload_failed(config::problems_text(next.error()));
    if (!apply(*next)) return;
  }
  local_.sources.load();
  local_.sources.refresh();
  take_listing();
  reload_problem_.clear();
  last_load_.set(static_cast<double>(clock_.unix_seconds()));
  log::info("reloaded", {{"endpoints", local_.sources.endpoints().size()}});
  service_.reload_ended("reloaded: " + service_status());
}

void Daemon::reload_failed(std::string_view problems) {
  failed_reloads_.add();
  const auto lines = split(trim(problems), '\n');
  for (const auto line : lines) log::error("reload failed, the old configuration stays", {{"problem", line}});
  reload_problem_ = lines.front();
  service_.reload_ended("reload failed, the old configuration stays: " + std::string(lines.front()));
}

bool Daemon::apply(const Configuration& next) {
  if (next.directory != configuration_.directory) {
    if (const auto moved = local_.sources.move_files(next.directory); !moved) {
      reload_failed(moved.error().message());
      return false;
    }
    configuration_.directory = next.directory;
  }
  configuration_.file.set_leave_on_stop(next.file.leave_on_stop());
  config::apply_log(next.file.log());
  restart_needed_ = restart_needed(configuration_, next);
  if (!restart_needed_.empty()) log::warn("restart needed", {{"for", join(restart_needed_, ", ")}});
  return true;
}

void Daemon::stop() {
  if (departure_.begun()) return;
  log::info("stopping");
  service_.stopping();
  // with pods, the federation is told also of an end without withdrawal: it may take the pods over after the lease
  departure_.stop(configuration_.file.leave_on_stop(), pods_ != nullptr);
}

std::string Daemon::unready() {
  if (!ready_) return "discovery was not read yet";
  if (pods_ && !pods_->state().listed) return pods_->state().error;
  return local_.sources.unread_text(configuration_.node.locality.node);
}

v1::AgentStatus Daemon::status() {
  v1::AgentStatus out = status_of(described(), syncer_, clock_.now());
  out.set_locality_source(place_source(configuration_, described()));
  auto& federation = *out.mutable_federation();
  federation.set_server(reporter_.server());
  federation.set_connected(reporter_.connected());
  federation.set_last_error(reporter_.last_error());
  local_.describe(out, clock_.now());
  if (pods_) *out.add_sources() = source_status(pods_->state());
  for (const std::string& key : restart_needed_) out.add_restart_needed(key);
  out.set_reload_problem(reload_problem_);
  for (const std::string& trouble : troubles_of(monitor_)) out.add_troubles(trouble);
  events_.add_to(out);
  out.set_log_lines_dropped(log::dropped_lines());
  for (const CheckView& view : monitor_.checks()) *out.add_checks() = check_status(view, clock_.now());
  mapping_.write_status(out);
  return out;
}

admin::Leaving Daemon::leave() {
  return departure_.leave([this] { service_.stopping(); });
}

}  // namespace meshdns::agent::app
