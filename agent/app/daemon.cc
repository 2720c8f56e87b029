#include "agent/app/daemon.h"

#include <algorithm>
#include <filesystem>
#include <utility>

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
constexpr Duration kGoodbyePatience = 1s;
constexpr Duration kLeaveOnStopPatience = 2s;
constexpr Duration kLeavePatience = 5s;
constexpr Duration kLingerUnasked = 2s;      // `meshdns-agent leave` may still ask for the outcome
constexpr Duration kLingerAnswered = 100ms;  // until the answer has gone out
constexpr int kNotLeft = 1;
constexpr int kLeft = 3;  // the unit lists it in RestartPreventExitStatus: no restart after a leave

report::ReporterOptions reporter_options(const Configuration& configuration, report::NodeDescription node,
                                         std::function<void(const std::vector<report::MeasureTarget>&)> measure) {
  return {configuration.servers(),
          std::move(node),
          configuration.instance_uid,
          configuration.boot_id,
          random_seed(),
          rpc::channel_credentials(configuration.tls, configuration.expected_federation()),
          std::move(measure)};
}

std::unique_ptr<discovery::StaticSource> make_source(const Configuration& configuration) {
  return std::make_unique<discovery::StaticSource>(configuration.directory,
                                                   discovery::Defaults{configuration.node.addresses});
}

}  // namespace

Daemon::Daemon(process::EventLoop& loop, const Clock& clock, Configuration configuration, std::string path)
    : loop_(loop),
      clock_(clock),
      configuration_(std::move(configuration)),
      path_(std::move(path)),
      socket_events_count_(registry_.counter("meshdns_agent_socket_events_total",
                                             "listening sockets that the kernel reported as destroyed")),
      failed_reloads_(registry_.counter("meshdns_config_failed_reloads_total", "reloads whose file was wrong")),
      last_load_(registry_.gauge("meshdns_config_last_load_seconds",
                                 "when the configuration that runs was read, in seconds since 1970")),
      programs_(configuration_.programs()),
      units_(loop),
      syncer_(report::wire_codec()),
      reporter_(
          loop, clock,
          reporter_options(configuration_,
                           {[this](const auto& federation) { return node_for(federation); }, must_know_federation()},
                           [this](const std::vector<report::MeasureTarget>& targets) { measure(targets); }),
          syncer_),
      monitor_(clock, loop,
               [this](const probes::Place& place, const discovery::CheckSpec& check) {
                 return make_probe({loop_, clock_, pushes_, monitor_.services(), programs_, units_}, place, check);
               },
               {[this](const model::Endpoint& endpoint) {
                  syncer_.put(endpoint, clock_.now());
                  reporter_.changed();
                },
                [this](const std::string& key) {
                  syncer_.remove(key);
                  reporter_.changed();
                }},
               {configuration_.node.key, random_seed(), check_limits(configuration_)}),
      measurer_(
          clock, loop, [&loop](const SocketAddress& where) { return std::make_unique<probes::TcpProbe>(loop, where); },
          [this](const report::Measurement& found) {
            syncer_.measured(found);
            reporter_.changed();
          },
          random_seed()),
      source_(make_source(configuration_)),
      service_(process::NotifyEnvironment::of_process(), clock, loop) {
  registry_.collect_with(
      [this](std::vector<metrics::Sample>& out) { collect_samples(monitor_, measurer_, syncer_, out); });
  registry_.collect_with([this](std::vector<metrics::Sample>& out) {
    metrics::gauge(out, "meshdns_agent_connected", "1 while the federation listens", {},
                   reporter_.connected() ? 1.0 : 0.0);
    metrics::count(out, "meshdns_agent_clamped_values_total", "durations of federations that were out of bounds", {},
                   reporter_.clamped());
    collect_place(configuration_, described(), out);
    if (tls_watch_) rpc::collect_samples(*tls_watch_, out);
    if (pods_) pods_->collect(out);
    metrics::gauge(out, "meshdns_agent_unread_files",
                   "files of endpoints.d that are wrong or cannot be read, and the folder itself", {},
                   static_cast<double>(unread_files(*source_)));
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
  open_socket_events();
  open_address_events();
  follow_pods();
  source_->refresh();
  take_listing();
  refresh_every_second();
  reporter_.start();
  ready_ = true;
  log::info("ready", {{"endpoints", source_->endpoints().size()}});
  service_.ready({[this] { return service_status(); }, [] { return true; }});
  return {};
}

Result<void> Daemon::listen() {
  const auto& admin = configuration_.file.admin();
  std::vector<std::string> hosts(admin.hosts().begin(), admin.hosts().end());
  hosts.push_back(configuration_.node.locality.node);
  auto http = http::Server::listen(loop_, configuration_.admin_address(), admin::http_api(*this),
                                   {.hosts = std::move(hosts),
                                    .public_parts = {admin.public_().begin(), admin.public_().end()},
                                    .refused = &registry_.counter(http::kRefusedRequests, http::kRefusedHelp)});
  if (!http) return http.error().with_context("admin.listen");
  http_ = std::move(*http);
  log::info("admin listening", {{"address", http_->bound().text()}});
  const std::string& path = configuration_.file.admin().socket();
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  auto socket = http::Server::listen_unix(loop_, path, admin::socket_api(*this));
  if (!socket) return socket.error().with_context("admin.socket");
  socket_ = std::move(*socket);
  log::info("admin socket", {{"path", path}});
  return {};
}

void Daemon::open_socket_events() {
  auto events = probes::SocketEvents::open(loop_, [this](const SocketAddress& where) {
    socket_events_count_.add();
    const std::size_t endpoints = monitor_.closed(where);
    if (endpoints > 0) log::info("socket event", {{"address", where.text()}, {"endpoints", endpoints}});
  });
  if (!events) {
    log::warn("socket events off: only checks find listeners that die", {{"reason", events.error()}});
    return;
  }
  socket_events_ = std::move(*events);
  log::info("socket events on");
}

void Daemon::open_address_events() {
  if (!configuration_.own_addresses) return;
  auto events = probes::AddressEvents::open(loop_, clock_, [this] { follow_addresses(); });
  if (!events) {
    log::warn("address events off: new addresses are noticed at the next connection", {{"reason", events.error()}});
    return;
  }
  address_events_ = std::move(*events);
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
  const auto allowed = measurable(targets, here ? Loopback::Allowed : Loopback::Refused, configuration_.mesh_ports());
  const std::size_t forbidden = targets.size() - allowed.size();
  if (std::exchange(forbidden_targets_, forbidden) != forbidden && forbidden > 0) {
    log::warn("targets of the federation are not measured: agents may not connect there", {{"targets", forbidden}});
  }
  measurer_.set_targets(allowed);
}

/// Takes new addresses of the machine. Endpoints without an address of their own get them too.
void Daemon::set_addresses(const std::vector<IpAddress>& addresses) {
  if (addresses == configuration_.node.addresses) return;
  log::info("addresses changed", {{"was", texts_of(configuration_.node.addresses)}, {"now", texts_of(addresses)}});
  configuration_.node.addresses = addresses;
  source_->set_defaults({addresses});
  source_->refresh();
  take_listing();
}

/// Called when the machine's addresses or routes have changed. A session that reported other addresses is started
/// again. If the addresses are the same nothing is done, because a machine with many routes changes them all the time.
void Daemon::follow_addresses() {
  if (stopping_) return;
  const auto now = routed_addresses(federation_);
  if (now.empty()) return;
  if (without_address_ || now != configuration_.node.addresses) reporter_.node_changed();
}

void Daemon::refresh_every_second() {
  refresh_timer_ = loop_.after(kRefreshInterval, [this] {
    const bool files_changed = source_->refresh();
    if (files_changed || (pods_ && pods_->state_changed())) take_listing();
    trouble_log_.look(troubles_of(monitor_));
    refresh_every_second();
  });
}

void Daemon::take_listing() {
  // Set the sources first: set_endpoints() may send at once, and that message must carry the source's new state.
  std::vector<report::SourceState> sources = {told_state(*source_)};
  // without the source, pods of an earlier run are withdrawn
  sources.push_back(pods_ ? pods_->state() : report::SourceState{std::string(model::kPodSource), true, ""});
  syncer_.set_sources(std::move(sources));
  if (pods_) {
    monitor_.set_endpoints(source_->endpoints(), pods_->listing().endpoints);
  } else {
    monitor_.set_endpoints(source_->endpoints());
  }
  reporter_.changed();
}

std::string Daemon::service_status() const {
  std::string out = counted(source_->endpoints().size(), "endpoint") + ", federation " + reporter_.server();
  if (!reporter_.connected()) out += " not reached: " + reporter_.last_error();
  const std::string unread = unread_text(*source_, configuration_.node.locality.node);
  return unread.empty() ? out : out + "; " + unread;
}

void Daemon::reload() {
  service_.reload_begins();
  if (!path_.empty()) {
    const auto next = load_configuration(path_, this_machine());
    if (!next) return reload_failed(config::problems_text(next.error()));
    if (!apply(*next)) return;
  }
  source_->refresh();
  take_listing();
  reload_problem_.clear();
  last_load_.set(static_cast<double>(clock_.unix_seconds()));
  log::info("reloaded", {{"endpoints", source_->endpoints().size()}});
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
    Configuration moved = configuration_;
    moved.directory = next.directory;
    auto source = make_source(moved);
    source->refresh();
    // A new directory that cannot be read is refused: with it, all endpoints of the old one would be withdrawn.
    if (!source->error().empty()) {
      reload_failed(source->error());
      return false;
    }
    source_ = std::move(source);
    configuration_.directory = next.directory;
  }
  configuration_.file.set_leave_on_stop(next.file.leave_on_stop());
  config::apply_log(next.file.log());
  restart_needed_ = restart_needed(configuration_, next);
  if (!restart_needed_.empty()) log::warn("restart needed", {{"for", join(restart_needed_, ", ")}});
  return true;
}

void Daemon::stop() {
  if (std::exchange(stopping_, true)) return;
  log::info("stopping");
  service_.stopping();
  const bool leaves = configuration_.file.leave_on_stop();
  // with pods, the federation is told also of an end without withdrawal: it may take the pods over after the lease
  if (leaves || pods_) syncer_.leave(leaves);
  reporter_.stop(leaves ? kLeaveOnStopPatience : kGoodbyePatience, [this, leaves] {
    if (leaves && !syncer_.settled())
      log::warn("leave not acknowledged",
                {{"error", "the federation did not confirm that the records of this node are withdrawn"}});
    loop_.stop();
  });
}

std::string Daemon::unready() {
  if (!ready_) return "discovery was not read yet";
  if (pods_ && !pods_->state().listed) return pods_->state().error;
  return unread_text(*source_, configuration_.node.locality.node);
}

v1::AgentStatus Daemon::status() {
  v1::AgentStatus out = status_of(described(), syncer_, clock_.now());
  out.set_locality_source(place_source(configuration_, described()));
  auto& federation = *out.mutable_federation();
  federation.set_server(reporter_.server());
  federation.set_connected(reporter_.connected());
  federation.set_last_error(reporter_.last_error());
  *out.add_sources() = source_status(source_state(*source_));
  if (pods_) *out.add_sources() = source_status(pods_->state());
  for (const std::string& key : restart_needed_) out.add_restart_needed(key);
  out.set_reload_problem(reload_problem_);
  for (const std::string& trouble : troubles_of(monitor_)) out.add_troubles(trouble);
  out.set_log_lines_dropped(log::dropped_lines());
  return out;
}

admin::Leaving Daemon::leave() {
  using State = admin::Leaving::State;
  if (leaving_ && leaving_->state != State::Waiting) {
    loop_.after(kLingerAnswered, [this] { loop_.stop(); });
    return *leaving_;
  }
  if (leaving_) return *leaving_;
  if (stopping_) return {State::Failed, "the agent is stopping; its records stay"};
  if (!reporter_.connected()) {
    return {State::Failed, "nothing is withdrawn: no session with the federation at " + reporter_.server() + ": " +
                               reporter_.last_error()};
  }
  stopping_ = true;
  service_.stopping();
  log::info("leaving", {{"endpoints", syncer_.endpoints().size()}});
  leaving_ = {State::Waiting, "waiting for the federation"};
  syncer_.leave(true);
  reporter_.stop(kLeavePatience, [this, server = reporter_.server()] { end_leaving(server); });
  return *leaving_;
}

void Daemon::end_leaving(const std::string& server) {
  const auto count = syncer_.endpoints().size();
  const bool left = syncer_.settled();
  exit_code_ = left ? kLeft : kNotLeft;
  leaving_ =
      left ? admin::Leaving{admin::Leaving::State::Left, left_text(configuration_.node.key, count, server)}
           : admin::Leaving{admin::Leaving::State::Failed,
                            "the federation at " + server + " did not acknowledge the leave; the records may stay"};
  log::info(left ? "left" : "leave not acknowledged", {{"outcome", leaving_->text}});
  loop_.after(kLingerUnasked, [this] { loop_.stop(); });
}

}  // namespace meshdns::agent::app
