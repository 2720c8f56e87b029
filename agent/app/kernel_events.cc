#include "agent/app/kernel_events.h"

#include <utility>

#include "common/base/text.h"
#include "common/log/log.h"
#include "common/metrics/samples.h"
#include "common/model/sources.h"

namespace meshdns::agent::app {
namespace {

constexpr Duration kSettle = 20ms;  // endpoints that change together count together

std::set<probes::ExpectedPort> ports_of(const model::Endpoint& endpoint) {
  std::set<probes::ExpectedPort> out;
  for (const model::Port& port : endpoint.ports) {
    out.insert({port.protocol == "UDP" ? Protocol::Udp : Protocol::Tcp, port.number});
  }
  return out;
}

/// Takes whether something is off.
/// told:    why it was off; becomes `why`
/// returns: whether that has begun or ended; a reason that changes is neither
bool edge(std::string& told, std::string why) {
  const bool changed = told.empty() != why.empty();
  told = std::move(why);
  return changed;
}

void add(v1::AgentStatus& status, const char* name, const std::string& off, const std::string& detail) {
  auto& entry = *status.add_events();
  entry.set_name(name);
  entry.set_on(off.empty());
  entry.set_detail(off.empty() ? detail : off);
}

/// Returns "3 namespaces watched, 1 address in no namespace".
std::string text_of(const probes::NamespaceEvents::State& state, const std::string& unwatched) {
  std::string out = counted(state.watched, "namespace") + " watched";
  if (state.missing > 0) {
    out += ", " + std::to_string(state.missing) + (state.missing == 1 ? " address" : " addresses") + " in no namespace";
  }
  return unwatched.empty() ? out : out + ", " + unwatched;
}

}  // namespace

KernelEvents::KernelEvents(process::EventLoop& loop, const Clock& clock, metrics::Registry& registry, Calls calls)
    : loop_(loop),
      clock_(clock),
      calls_(std::move(calls)),
      closed_count_(registry.counter("meshdns_agent_socket_events_total",
                                     "servers' sockets that the kernel reported as destroyed")),
      appeared_count_(registry.counter("meshdns_agent_appeared_listeners_total",
                                       "sockets that have appeared at a port of a pending endpoint")),
      sockets_off_("not open yet") {}

KernelEvents::~KernelEvents() {
  if (expect_timer_) loop_.cancel(*expect_timer_);
}

void KernelEvents::open(Options options) {
  options_ = options;
  open_sockets();
  open_namespaces();
  open_addresses();
  listeners_ = std::make_unique<probes::Listeners>(
      loop_, [this](const SocketAddress& where) { appeared(where); }, [this] { look_at_listeners(); });
}

void KernelEvents::open_sockets() {
  auto events = probes::SocketEvents::open(loop_, [this](const SocketAddress& where) { closed(where); });
  if (!events) {
    sockets_off_ = events.error().message();
    log::warn("socket events off: only checks find listeners that die", {{"reason", sockets_off_}});
    return;
  }
  sockets_off_.clear();
  sockets_ = std::move(*events);
  log::info("socket events on");
}

void KernelEvents::open_namespaces() {
  if (!options_.namespaces) return;
  namespaces_ = std::make_unique<probes::NamespaceEvents>(
      loop_, clock_,
      probes::NamespaceEvents::Calls{[this](const SocketAddress& where) { closed(where); },
                                     [this](const SocketAddress& where) { appeared(where); },
                                     [this] { look_at_namespaces(); }},
      probes::NamespaceEvents::Options{});
}

void KernelEvents::open_addresses() {
  if (!options_.addresses) return;
  auto events = probes::AddressEvents::open(loop_, clock_, calls_.addresses_changed);
  if (!events) {
    addresses_off_ = events.error().message();
    log::warn("address events off: new addresses are noticed at the next connection", {{"reason", addresses_off_}});
    return;
  }
  addresses_ = std::move(*events);
}

void KernelEvents::closed(const SocketAddress& where) {
  closed_count_.add();
  const std::size_t endpoints = calls_.closed(where);
  if (endpoints > 0) log::info("socket event", {{"address", where.text()}, {"endpoints", endpoints}});
}

void KernelEvents::appeared(const SocketAddress& where) {
  appeared_count_.add();
  const std::size_t endpoints = calls_.opened(where);
  if (endpoints > 0) log::info("listener appeared", {{"address", where.text()}, {"endpoints", endpoints}});
}

void KernelEvents::follow(const std::vector<discovery::Discovered>& listed,
                          const std::vector<discovery::PodEndpoint>& pods) {
  WatchedSockets wanted = watched_sockets(listed, pods);
  if (sockets_) look_at_udp(sockets_->watch_udp(wanted.udp_ports));
  if (namespaces_) namespaces_->watch(std::move(wanted.addresses), std::move(wanted.udp_ports));
}

/// Pods are left out: whether they have begun to serve is their kubelet's word.
void KernelEvents::told(const model::Endpoint& endpoint) {
  removed(endpoint.key);
  if (endpoint.health.state != model::HealthState::Pending || endpoint.source == model::kPodSource) return;
  pending_[endpoint.key] = {endpoint.addresses, ports_of(endpoint)};
  expect_soon();
}

void KernelEvents::removed(const std::string& key) {
  if (pending_.erase(key) > 0) expect_soon();
}

void KernelEvents::expect_soon() {
  if (expect_timer_) return;
  expect_timer_ = loop_.after(kSettle, [this] {
    expect_timer_.reset();
    std::set<probes::ExpectedPort> all;
    probes::NamespaceEvents::Expected by_address;
    for (const auto& [key, pending] : pending_) {
      all.insert(pending.ports.begin(), pending.ports.end());
      for (const IpAddress& address : pending.addresses) {
        by_address[address].insert(pending.ports.begin(), pending.ports.end());
      }
    }
    if (listeners_) listeners_->expect(std::move(all));
    if (namespaces_) namespaces_->expect(std::move(by_address));
    look_at_listeners();  // nothing is listed, and so nothing is off, without ports
  });
}

void KernelEvents::look_at_udp(const Result<void>& watched) {
  if (!edge(udp_off_, watched ? "" : watched.error().message())) return;
  if (udp_off_.empty()) {
    log::info("socket events of UDP on");
  } else {
    log::warn("socket events of UDP off: only checks find UDP servers that die", {{"reason", udp_off_}});
  }
}

void KernelEvents::look_at_listeners() {
  if (!listeners_ || !edge(listeners_off_, listeners_->problem())) return;
  if (listeners_off_.empty()) {
    log::info("sockets can be listed again");
  } else {
    log::warn("sockets cannot be listed: only checks find listeners that appear", {{"reason", listeners_off_}});
  }
}

void KernelEvents::look_at_namespaces() {
  const auto state = namespaces_->state();
  const std::string off = state.missing > 0 ? state.denied : "";
  const bool changed = edge(namespaces_off_, off);
  if (changed && !off.empty()) {
    log::warn("namespace events off: only checks find listeners of containers that die", {{"reason", off}});
    namespaces_told_ = false;
  } else if (state.watched > 0 && !std::exchange(namespaces_told_, true)) {
    log::info("namespace events on");
  } else if (changed && state.watched == 0) {
    log::info("namespace events are not needed");
  }
  const std::string why =
      state.unwatched == 0 ? "" : std::to_string(state.unwatched) + " not watched: " + state.unwatched_why;
  if (!edge(unwatched_, why)) return;
  if (unwatched_.empty()) {
    log::info("network namespaces are watched again");
  } else {
    log::warn("network namespaces are not watched", {{"namespaces", state.unwatched}, {"reason", state.unwatched_why}});
  }
}

void KernelEvents::collect(std::vector<metrics::Sample>& out) const {
  const auto on = [&out](const char* kind, bool is_on) {
    metrics::gauge(out, "meshdns_agent_kernel_events", "1 if the kernel reports events of this kind to the agent",
                   {{"kind", kind}}, is_on ? 1.0 : 0.0);
  };
  on("socket", sockets_ != nullptr);
  on("udp", sockets_ != nullptr && udp_off_.empty());
  on("namespace", namespaces_ != nullptr && namespaces_off_.empty());
  on("address", addresses_ != nullptr);
  on("listener", listeners_off_.empty());
  const auto state = namespaces_ ? namespaces_->state() : probes::NamespaceEvents::State{};
  metrics::gauge(out, "meshdns_agent_watched_namespaces",
                 "network namespaces of containers and pods in which the kernel reports sockets", {},
                 static_cast<double>(state.watched));
  metrics::gauge(out, "meshdns_agent_unwatched_namespaces", "network namespaces that should be watched and are not", {},
                 static_cast<double>(state.unwatched));
}

void KernelEvents::add_to(v1::AgentStatus& status) const {
  add(status, "socket", sockets_off_, "");
  add(status, "udp", sockets_off_.empty() ? udp_off_ : sockets_off_, "");
  if (namespaces_) {
    add(status, "namespace", namespaces_off_, text_of(namespaces_->state(), unwatched_));
  } else {
    add(status, "namespace", "namespaces: \"off\" in agent.yaml", "");
  }
  if (options_.addresses) add(status, "address", addresses_off_, "");
  add(status, "listener", listeners_off_, counted(pending_.size(), "pending endpoint"));
}

}  // namespace meshdns::agent::app
