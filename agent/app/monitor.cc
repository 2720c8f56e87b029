#include "agent/app/monitor.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/app/endpoint_log.h"
#include "agent/app/pod_checks.h"
#include "agent/health/combined.h"
#include "agent/health/readiness.h"
#include "common/log/log.h"
#include "common/model/lookup.h"
#include "common/model/sources.h"

namespace meshdns::agent::app {
namespace {

using discovery::CheckSpec;
using discovery::Discovered;
using health::Outcome;
using health::ProbeResult;
using model::HealthState;

/// Returns the port that a check connects to; 0 = it does not connect.
std::uint16_t port_of(const CheckSpec& check) {
  const probes::Target* target = probes::target_of(check.what);
  return target == nullptr ? 0 : target->port;
}

/// Whether a listener may have served the endpoint.
bool is_behind(const SocketAddress& where, const Discovered& found) {
  if (where.port == 0) return true;
  const auto& addresses = found.endpoint.addresses;
  const bool has_port = std::ranges::count(found.endpoint.ports, where.port, &model::Port::number) > 0 ||
                        std::ranges::count(found.checks, where.port, &port_of) > 0;
  return has_port && (where.ip.is_unspecified() || std::ranges::find(addresses, where.ip) != addresses.end());
}

/// Whether two endpoints are the same instance, even with different keys: clients of `now` reach the process that
/// clients of `known` did.
bool is_same_instance(const model::Endpoint& known, const model::Endpoint& now) {
  const auto kept = [&](Family family) {
    const auto address = model::first_of(now.addresses, family);
    return !address || address == model::first_of(known.addresses, family);
  };
  const auto has_port = [&](const model::Port& port) {
    return std::ranges::any_of(known.ports, [&](const model::Port& other) {
      return other.number == port.number && other.protocol == port.protocol;
    });
  };
  return known.namespace_ == now.namespace_ && known.service == now.service && kept(Family::V4) && kept(Family::V6) &&
         std::ranges::any_of(now.ports, has_port);
}

}  // namespace

/// The address and settings of one check; each check is made at the first address of each family.
struct Monitor::Place {
  IpAddress address;
  const CheckSpec* spec;
};

struct Monitor::Check {
  Check(Monitor& m, Watched& o, Place p, health::HealthMachine h)
      : monitor(m), owner(&o), address(p.address), spec(*p.spec), machine(std::move(h)) {}
  ~Check() { stop(); }
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;

  /// Cancels the timer and the running probe.
  void stop() {
    if (timer) monitor.timers_.cancel(*timer);
    timer.reset();
    probe.reset();
    running = false;
  }

  Monitor& monitor;
  Watched* owner;
  IpAddress address;
  CheckSpec spec;
  health::HealthMachine machine;
  std::unique_ptr<probes::Probe> probe;
  std::optional<TimerId> timer;
  TimePoint planned{};
  TimePoint started{};
  Duration timeout{};           // of the running probe
  std::string unknown_because;  // detail of the last result if that was Unknown; otherwise empty
  bool running = false;
  bool late = false;
  bool was_open = false;  // an evidence check's port has taken a connection: a refusal means something then
  bool refused = false;   // its last result, if that means something
  bool after_event = false;
  bool again = false;  // a kernel event came while the probe for an earlier event was running
};

struct Monitor::Watched {
  Discovered found;
  model::Endpoint told;
  std::vector<std::unique_ptr<Check>> checks;
  std::optional<health::Readiness> readiness;  // of a pod
  bool host_network = false;                   // of a pod

  /// Whether update() has never been called.
  bool is_new() const { return told.key.empty(); }
  std::vector<model::Health> healths(Family family) const {
    std::vector<model::Health> out;
    for (const auto& check : checks) {
      if (check->address.family() == family && !check->spec.evidence) out.push_back(check->machine.health());
    }
    return out;
  }
  model::Health health() const {
    const auto v4 = healths(Family::V4);
    const auto v6 = healths(Family::V6);
    if (v4.empty() && v6.empty()) return readiness->health();
    const model::Health checked = health::of_families(v4, v6);
    if (!found.down.empty()) return down(checked);
    return readiness ? health::with_checks(readiness->health(), checked) : checked;
  }
  /// Returns the health of an endpoint that does not serve by what its source knows. One that has never served here
  /// stays pending, with the streak of a verdict, like a pod that was never ready.
  model::Health down(const model::Health& checked) const {
    const bool served = told.health.state != HealthState::Pending;
    return {.state = served ? HealthState::Failing : HealthState::Pending,
            .detail = found.down,
            .since = served ? down_since : checked.since,
            .streak = served ? 0U : 1U,
            .needed = served ? 0U : 1U};
  }
  TimePoint down_since{};               // of found.down
  std::optional<TimePoint> unlisted{};  // since when discovery no longer lists it; nothing = it is listed
};

Monitor::Monitor(const Clock& clock, Timers& timers, ProbeFactory make_probe, Sink sink, Options options)
    : clock_(clock),
      timers_(timers),
      make_probe_(std::move(make_probe)),
      sink_(std::move(sink)),
      options_(std::move(options)),
      seeds_(static_cast<std::minstd_rand::result_type>(options_.seed)) {}

Monitor::~Monitor() {
  if (retire_timer_) timers_.cancel(*retire_timer_);
}

void Monitor::set_endpoints(const std::vector<Discovered>& listed, const std::vector<discovery::PodEndpoint>& pods) {
  std::map<std::string, std::unique_ptr<Watched>> before = std::exchange(watched_, {});
  const auto keep = [&](const std::string& key) {
    auto node = before.extract(key);
    if (!node.empty()) {
      node.mapped()->unlisted.reset();
      watched_.insert(std::move(node));
    } else {
      watched_.emplace(key, std::make_unique<Watched>());
    }
  };
  for (const Discovered& found : listed) keep(found.key);
  for (const auto& pod : pods) keep(pod.found.key);
  std::multimap<IpAddress, const Watched*> gone_by_address;
  for (const auto& [key, gone] : before) gone_by_address.emplace(gone->found.endpoint.addresses.front(), gone.get());
  for (const Discovered& found : listed) {
    Watched& watched = *watched_.at(found.key);
    if (!watched.is_new() || model::ends_when_unlisted(found.endpoint.source)) continue;
    const auto [begin, end] = gone_by_address.equal_range(found.endpoint.addresses.front());
    const auto known = std::find_if(
        begin, end, [&](const auto& entry) { return is_same_instance(entry.second->found.endpoint, found.endpoint); });
    if (known != end) watched.told.health = known->second->told.health;
  }
  // Put the new endpoints before retire() removes old ones: otherwise the service could be empty in between.
  for (const Discovered& found : listed) update(*watched_.at(found.key), found, nullptr);
  for (const auto& pod : pods) update(*watched_.at(pod.found.key), watched_pod(pod), &pod);
  for (auto& [key, gone] : before) {
    if (!gone->unlisted) gone->unlisted = clock_.now();
    watched_.emplace(key, std::move(gone));
  }
  retire();
}

void Monitor::retire() {
  std::set<std::pair<std::string, std::string>> awaited;  // services with a listed endpoint that has not succeeded yet
  for (const auto& [key, watched] : watched_) {
    const model::Endpoint& told = watched->told;
    const bool is_new = !watched->unlisted && told.health.state == HealthState::Pending;
    if (is_new) awaited.emplace(told.namespace_, told.service);
  }
  const auto awaits_replacement = [&](const Watched& watched) {
    return !model::ends_when_unlisted(watched.told.source) && watched.told.health.state == HealthState::Serving &&
           clock_.now() - *watched.unlisted < kReplacement &&
           awaited.contains({watched.told.namespace_, watched.told.service});
  };
  std::vector<std::string> going;
  std::optional<Duration> next;
  for (const auto& [key, watched] : watched_) {
    if (!watched->unlisted) continue;
    if (!awaits_replacement(*watched)) {
      going.push_back(key);
      continue;
    }
    const Duration left = *watched->unlisted + kReplacement - clock_.now();
    next = std::min(next.value_or(left), left);
  }
  for (const std::string& key : going) {
    log::info("endpoint removed", {{"key", key}});
    watched_.erase(key);
    sink_.remove(key);
  }
  if (next) retire_after(*next);
}

void Monitor::retire_after(Duration delay) {
  if (retire_timer_) timers_.cancel(*retire_timer_);
  retire_timer_ = timers_.after(delay, [this] {
    retire_timer_.reset();
    retire();
  });
}

bool Monitor::report(Watched& watched, const discovery::PodEndpoint& pod) {
  if (!watched.readiness) watched.readiness.emplace();
  watched.host_network = pod.host_network;
  const HealthState before = watched.readiness->health().state;
  watched.readiness->on_report(pod.report, clock_.now());
  return before != HealthState::Serving && watched.readiness->health().state == HealthState::Serving;
}

void Monitor::update(Watched& watched, const Discovered& found, const discovery::PodEndpoint* pod) {
  const bool afresh = pod != nullptr && (report(watched, *pod) || watched.found.checks != found.checks);
  if (!watched.is_new() && watched.found == found && !afresh) return tell(watched);
  auto before = std::exchange(watched.checks, {});
  if (afresh) before.clear();  // what checks found before a pod was ready says nothing about it now
  // set_endpoints() has given `told` the health of the same instance with another key: continue from that health
  const bool goes_on = pod == nullptr && before.empty() && watched.told.health.state != HealthState::Pending;
  const model::Health known = goes_on ? watched.told.health : model::Health{.since = clock_.now()};
  if (watched.found.down != found.down) watched.down_since = clock_.now();
  watched.found = found;
  for (const IpAddress& address : model::first_of_each_family(found.endpoint.addresses)) {
    const auto others = std::partition(before.begin(), before.end(),
                                       [&](const auto& check) { return check->address.family() == address.family(); });
    std::vector<std::unique_ptr<Check>> of_family(std::make_move_iterator(before.begin()),
                                                  std::make_move_iterator(others));
    before.erase(before.begin(), others);
    model::Health of_address = known;
    of_address.state = known.out(address.family()).value_or(known.state);
    of_address.v4 = of_address.v6 = std::nullopt;
    add_checks(watched, address, std::move(of_family), of_address);
  }
  tell(watched);
}

/// Adds the checks at one address. Unchanged checks are taken from `before`.
/// before: the family's checks so far, in the order of their settings
/// fresh:  the health from which a check without history starts
void Monitor::add_checks(Watched& watched, const IpAddress& address, std::vector<std::unique_ptr<Check>> before,
                         const model::Health& fresh) {
  // the health of another address says nothing about this one: it has to succeed before it is answered
  if (!before.empty() && before.front()->address != address) before.clear();
  const model::Health known = before.empty() ? fresh : before.front()->machine.health();
  for (std::size_t i = 0; i < watched.found.checks.size(); ++i) {
    const CheckSpec& spec = watched.found.checks[i];
    if (i < before.size() && before[i]->spec == spec) {
      watched.checks.push_back(std::move(before[i]));
      continue;
    }
    const model::Health previous = i < before.size() ? before[i]->machine.health() : known;
    health::HealthMachine machine(spec.settings, seeds_(), previous);
    watched.checks.push_back(std::make_unique<Check>(*this, watched, Place{address, &spec}, std::move(machine)));
    schedule(*watched.checks.back());
  }
}

void Monitor::schedule(Check& check) {
  const Duration delay = check.machine.next_delay();
  check.planned = clock_.now() + delay;
  check.timer = timers_.after(delay, [this, &check] {
    check.timer.reset();
    start(check, false);
  });
}

/// Starts the check's probe. If the agent is late itself the probe gets more time, because its answer may arrive in
/// time and wait to be read.
void Monitor::start(Check& check, bool after_event) {
  const Duration timeout = check.spec.settings.timeout;
  check.started = clock_.now();
  const Duration lag = after_event ? Duration::zero() : check.started - check.planned;
  check.late = lag > timeout / 2;
  check.timeout = check.late ? timeout + std::min(lag, timeout) : timeout;
  check.after_event = after_event;
  check.again = false;
  check.running = true;
  if (!check.probe) check.probe = make_probe_(check.address, check.spec);
  check.probe->run(check.timeout, [this, &check](ProbeResult result) { on_result(check, std::move(result)); });
}

/// Starts a probe because of a kernel event. A running probe for an earlier event is not restarted: otherwise a
/// listener that comes and goes all the time would keep the probe from ever ending.
void Monitor::probe_after_event(Check& check) {
  if (check.running && check.after_event) {
    check.again = true;
    return;
  }
  check.stop();
  start(check, true);
}

bool Monitor::ended(const std::string& key, const std::string& container) {
  const auto found = watched_.find(key);
  if (found == watched_.end() || !found->second->readiness) return false;
  Watched& watched = *found->second;
  const auto now = clock_.now();
  if (!watched.readiness->on_evidence(health::Evidence::Ended, "container ended", now, container)) return false;
  for (const auto& check : watched.checks) {
    if (check->spec.evidence) probe_after_event(*check);  // a port that is closed keeps others from ending the evidence
  }
  tell(watched);
  return true;
}

std::size_t Monitor::listener_gone(Watched& watched, const SocketAddress& where) {
  if (!watched.host_network) return 0;  // the events are of the host's network, where other pods have no listeners
  for (const auto& check : watched.checks) {
    if (where.port != 0 && port_of(check->spec) != where.port) continue;
    check->was_open = check->was_open || where.port != 0;
    probe_after_event(*check);  // another listener may still answer at the port (SO_REUSEPORT), so the probe decides
  }
  return 1;
}

std::size_t Monitor::closed(const SocketAddress& where) {
  std::size_t endpoints = 0;
  for (const auto& [key, watched] : watched_) {
    if (!is_behind(where, watched->found)) continue;
    if (watched->readiness) {
      endpoints += listener_gone(*watched, where);
      continue;
    }
    ++endpoints;
    for (const auto& check : watched->checks) probe_after_event(*check);
  }
  return endpoints;
}

void Monitor::on_result(Check& check, ProbeResult result) {
  check.running = false;
  const bool ended_late = clock_.now() - check.started > check.timeout + check.spec.settings.timeout / 2;
  result.late = check.late || ended_late;
  result.after_event = check.after_event;
  ++counters_.outcomes.at(static_cast<std::size_t>(result.outcome));
  check.unknown_because = result.outcome == Outcome::Unknown ? result.detail : "";
  if (result.late) ++counters_.late;
  Watched& watched = *check.owner;
  const bool judged = judge_evidence(check, result);
  const bool changed = check.machine.on_result(result, clock_.now(), is_last_healthy(watched)) || judged;
  if (check.again) {
    // From a timer, because start() runs the probe again, and this is called from inside the probe.
    check.planned = clock_.now();
    check.timer = timers_.after(Duration::zero(), [this, &check] {
      check.timer.reset();
      start(check, true);
    });
  } else {
    schedule(check);
  }
  if (!changed) return;
  tell(watched);
  // From a timer, because retire() may destroy the endpoint whose probe is calling this.
  if (retire_timer_) retire_after(Duration::zero());
}

bool Monitor::judge_evidence(Check& check, const ProbeResult& result) {
  if (!check.spec.evidence || result.outcome == Outcome::Unknown) return false;
  const bool success = result.outcome == Outcome::Success;
  if (success) check.was_open = true;
  // many pods declare ports at which nothing listens: only one that was open says something by being closed
  if (!check.was_open) return false;
  check.refused = result.outcome == Outcome::Refused;
  const auto& all = check.owner->checks;
  const bool another_is_dead = std::ranges::any_of(all, [](const auto& other) { return other->refused; });
  if (success && another_is_dead) return false;
  return check.owner->readiness->on_result(result, clock_.now());
}

bool Monitor::is_last_healthy(const Watched& watched) const {
  return std::ranges::none_of(watched_, [&](const auto& entry) {
    const model::Endpoint& other = entry.second->told;
    return entry.second.get() != &watched && other.health.state == HealthState::Serving &&
           other.namespace_ == watched.told.namespace_ && other.service == watched.told.service;
  });
}

void Monitor::tell(Watched& watched) {
  model::Endpoint now = watched.found.endpoint;
  now.key = watched.found.key;
  now.node = options_.node;
  now.health = watched.health();
  if (now == watched.told) return;
  const model::Health before = std::exchange(watched.told, std::move(now)).health;
  log_change(watched.told, before);
  sink_.put(watched.told);
}

std::map<std::string, std::size_t> Monitor::unknown() const {
  std::map<std::string, std::size_t> out;
  for (const auto& [key, watched] : watched_) {
    for (const auto& check : watched->checks) {
      if (!check->unknown_because.empty()) ++out[check->unknown_because];
    }
  }
  return out;
}

std::map<std::string, model::Endpoint> Monitor::endpoints() const {
  std::map<std::string, model::Endpoint> out;
  for (const auto& [key, watched] : watched_) out.emplace(key, watched->told);
  return out;
}

}  // namespace meshdns::agent::app
