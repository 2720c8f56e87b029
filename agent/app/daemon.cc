#include "agent/app/daemon.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "agent/admin/http_api.h"
#include "agent/app/agent_metrics.h"
#include "agent/app/probe_factory.h"
#include "agent/app/status.h"
#include "agent/app/version.h"
#include "agent/probes/tcp_probe.h"
#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/log/log.h"
#include "common/rpc/credentials.h"

namespace meshdns::app {
namespace {

constexpr Duration kRefreshInterval = 1s;
constexpr Duration kGoodbyePatience = 1s;
constexpr Duration kLeaveOnStopPatience = 2s;
constexpr Duration kLeavePatience = 5s;
constexpr Duration kLingerUnasked = 2s;      // the one who asked to leave may still come for the outcome
constexpr Duration kLingerAnswered = 100ms;  // until the answer has gone out

report::ReporterOptions reporter_options(const Configuration& configuration,
                                         std::function<void(const std::vector<report::Target>&)> measure) {
  return {configuration.servers(), configuration.node, configuration.instance_uid,
          configuration.boot_id,   random_seed(),      rpc::channel_credentials(configuration.tls),
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
      failed_reloads_(registry_.counter("meshdns_agent_config_reload_failures_total", "reloads whose file was wrong")),
      syncer_(report::wire_codec()),
      reporter_(
          loop, clock,
          reporter_options(configuration_,
                           [this](const std::vector<report::Target>& targets) { measurer_.set_targets(targets); }),
          syncer_),
      monitor_(clock, loop,
               [&loop](const SocketAddress& where, const discovery::CheckSpec& check) {
                 return make_probe(loop, where, check);
               },
               {[this](const model::Endpoint& endpoint) {
                  syncer_.put(endpoint, clock_.now());
                  reporter_.changed();
                },
                [this](const std::string& key) {
                  syncer_.remove(key);
                  reporter_.changed();
                }},
               {configuration_.node.key, random_seed()}),
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
    out.push_back({metrics::Sample::Kind::Gauge,
                   "meshdns_agent_connected",
                   "1 while the federation listens",
                   {},
                   reporter_.connected() ? 1.0 : 0.0});
    out.push_back({metrics::Sample::Kind::Gauge,
                   "meshdns_agent_unread_files",
                   "files of endpoints.d that are wrong or cannot be read, and the folder itself",
                   {},
                   static_cast<double>(unread_files(*source_))});
  });
}

Daemon::~Daemon() {
  if (refresh_timer_) loop_.cancel(*refresh_timer_);
}

Result<void> Daemon::start() {
  log::info("starting", {{"version", kVersion},
                         {"node", configuration_.node.key},
                         {"locality", configuration_.node.locality.text()},
                         {"endpoints", configuration_.directory}});
  if (configuration_.tls && rpc::is_expired(*configuration_.tls, clock_.unix_seconds())) {
    log::warn("certificate expired", {{"file", configuration_.tls->certificate}});
  }
  if (auto done = listen(); !done) return done;
  open_socket_events();
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
  auto http = http::Server::listen(loop_, configuration_.admin_address(), admin::http_api(*this));
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
    log::warn("socket events off: probes only", {{"reason", events.error()}});
    return;
  }
  socket_events_ = std::move(*events);
  log::info("socket events on");
}

void Daemon::refresh_every_second() {
  refresh_timer_ = loop_.after(kRefreshInterval, [this] {
    if (source_->refresh()) take_listing();
    refresh_every_second();
  });
}

void Daemon::take_listing() {
  // First what the source says of itself: a removal is a word of its own.
  syncer_.set_sources({told_state(*source_)});
  monitor_.set_endpoints(source_->endpoints());
  reporter_.changed();
}

std::string Daemon::service_status() const {
  const std::size_t count = source_->endpoints().size();
  std::string out = std::to_string(count) + (count == 1 ? " endpoint" : " endpoints") + ", federation ";
  out += reporter_.server();
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
  log::info("reloaded", {{"endpoints", source_->endpoints().size()}});
  service_.reload_ended("reloaded: " + service_status());
}

void Daemon::reload_failed(std::string_view problems) {
  failed_reloads_.add();
  const auto lines = split(trim(problems), '\n');
  for (const auto line : lines) log::error("reload failed", {{"problem", line}});
  service_.reload_ended("reload failed, the old configuration stays: " + std::string(lines.front()));
}

bool Daemon::apply(const Configuration& next) {
  if (next.directory != configuration_.directory) {
    Configuration moved = configuration_;
    moved.directory = next.directory;
    auto source = make_source(moved);
    source->refresh();
    // Where nothing can be read, nothing is withdrawn.
    if (!source->error().empty()) {
      reload_failed(source->error());
      return false;
    }
    source_ = std::move(source);
    configuration_.directory = next.directory;
  }
  configuration_.file.set_leave_on_stop(next.file.leave_on_stop());
  const auto later = restart_needed(configuration_, next);
  if (!later.empty()) log::warn("restart needed", {{"changed", join(later, ",")}});
  return true;
}

void Daemon::stop() {
  if (std::exchange(stopping_, true)) return;
  log::info("stopping");
  service_.stopping();
  const bool leaves = configuration_.file.leave_on_stop();
  if (leaves) syncer_.leave(true);
  reporter_.stop(leaves ? kLeaveOnStopPatience : kGoodbyePatience, [this] {
    if (!syncer_.settled()) log::warn("not left", {{"error", "the federation did not acknowledge it"}});
    loop_.stop();
  });
}

std::string Daemon::unready() {
  if (!ready_) return "discovery was not read yet";
  return unread_text(*source_, configuration_.node.locality.node);
}

v1::AgentStatus Daemon::status() {
  v1::AgentStatus out = status_of(configuration_.node, syncer_, clock_.now());
  auto& federation = *out.mutable_federation();
  federation.set_server(reporter_.server());
  federation.set_connected(reporter_.connected());
  federation.set_last_error(reporter_.last_error());
  *out.add_sources() = source_status(source_state(*source_));
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
  exit_code_ = left ? 0 : 1;
  leaving_ = left ? admin::Leaving{admin::Leaving::State::Left, left_text(configuration_.node.key, count, server)}
                  : admin::Leaving{admin::Leaving::State::Failed,
                                   "the federation at " + server + " did not acknowledge it; the records may stay"};
  log::info(left ? "left" : "not left", {{"outcome", leaving_->text}});
  loop_.after(kLingerUnasked, [this] { loop_.stop(); });
}

}  // namespace meshdns::app
