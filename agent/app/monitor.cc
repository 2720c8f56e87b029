#include "agent/app/monitor.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/app/endpoint_log.h"
#include "agent/app/instances.h"
#include "agent/app/pod_checks.h"
#include "agent/app/watched.h"
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

/// Returns the services whose health the checks of an endpoint take.
std::vector<probes::AliasCheck> aliases_of(const Discovered& found) {
  std::vector<probes::AliasCheck> out;
  for (const CheckSpec& check : found.checks) {
    const auto more = probes::aliases_of(check.what);
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

}  // namespace

struct Monitor::At {
  IpAddress address;
  std::optional<Family> family;  // nothing = once
};

Monitor::Monitor(const Clock& clock, Timers& timers, ProbeFactory make_probe, Sink sink, Options options)
    : clock_(clock),
      timers_(timers),
      make_probe_(std::move(make_probe)),
      sink_(std::move(sink)),
      options_(std::move(options)),
      seeds_(static_cast<std::minstd_rand::result_type>(options_.seed)),
      runner_(clock, timers, options_.limits,
              {[this](const Check& check) {
                 const model::Endpoint& endpoint = check.owner.found.endpoint;
                 return make_probe_({check.owner.found.key, endpoint.namespace_, endpoint.service, check.address},
                                    *check.spec);
               },
               [this](Check& check, const ProbeResult& result) { on_result(check, result); },
               [this](std::uint64_t check) {
                 asked_.gone(check);
                 tell_askers();
               }}) {}

Monitor::~Monitor() {
  watched_.clear();
  if (retire_timer_) timers_.cancel(*retire_timer_);
  if (asked_timer_) timers_.cancel(*asked_timer_);
}

void Monitor::set_endpoints(const std::vector<Discovered>& listed, const std::vector<discovery::PodEndpoint>& pods) {
  ports_.forget();
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
  std::size_t added = 0;
  for (const Discovered& found : listed) added += watched_.at(found.key)->is_new() ? found.checks.size() : 0;
  const Duration spread = Duration(1s) / kFirstChecksPerSecond * static_cast<std::int64_t>(added);
  first_within_ = std::max(health::HealthMachine::kFirstWithin, spread);
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
    ports_.forget();
    services_.remove(key);
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
  if (!watched.readiness) watched.readiness = std::make_unique<health::Readiness>();
  watched.host_network = pod.host_network;
  const HealthState before = watched.readiness->health().state;
  watched.readiness->on_report(pod.report, clock_.now());
  return before != HealthState::Serving && watched.readiness->health().state == HealthState::Serving;
}

void Monitor::update(Watched& watched, const Discovered& found, const discovery::PodEndpoint* pod) {
  const bool afresh = pod != nullptr && (report(watched, *pod) || watched.found.checks != found.checks);
  if (!watched.is_new() && watched.found == found && !afresh) return tell(watched);
  if (afresh) watched.checks.clear();  // what checks found before a pod was ready says nothing about it now
  // set_endpoints() has given `told` the health of the same instance with another key: continue from that health
  const bool goes_on = pod == nullptr && watched.checks.empty() && watched.told.health.state != HealthState::Pending;
  const model::Health known = goes_on ? watched.told.health : model::Health{.since = clock_.now()};
  if (watched.found.down != found.down) watched.down_since = clock_.now();
  const Discovered old = std::exchange(watched.found, found);  // the checks so far refer to it
  services_.set_aliases(found.key, aliases_of(found));
  Watched before;
  std::swap(before.checks, watched.checks);
  for (const IpAddress& address : model::first_of_each_family(found.endpoint.addresses)) {
    model::Health of_address = known;
    of_address.state = known.out(address.family()).value_or(known.state);
    of_address.v4 = of_address.v6 = std::nullopt;
    add_checks(watched, {address, address.family()}, before.take_checks(address.family()), of_address);
  }
  model::Health of_all = known;
  of_all.v4 = of_all.v6 = std::nullopt;
  add_checks(watched, {found.endpoint.addresses.front(), std::nullopt}, before.take_checks(std::nullopt), of_all);
  tell(watched);
}

/// Adds the checks that are made at one place. Unchanged checks are taken from `before`.
/// before: the place's checks so far, in the order of their settings
/// fresh:  the health from which a check without history starts
void Monitor::add_checks(Watched& watched, const At& at, std::vector<std::unique_ptr<Check>> before,
                         const model::Health& fresh) {
  // the health of another address says nothing about this one: it has to succeed before it is answered
  if (at.family && !before.empty() && before.front()->address != at.address) before.clear();
  const model::Health known = before.empty() ? fresh : before.front()->machine.health();
  std::size_t i = 0;
  for (const CheckSpec& spec : watched.found.checks) {
    if (probes::is_per_family(spec.what) != at.family.has_value()) continue;
    const std::size_t index = i++;
    if (index < before.size() && *before[index]->spec == spec) {
      before[index]->spec = &spec;
      watched.checks.push_back(std::move(before[index]));
      continue;
    }
    const model::Health previous = index < before.size() ? before[index]->machine.health() : known;
    health::HealthMachine machine(spec.settings, seeds_(), previous);
    watched.checks.push_back(std::make_unique<Check>(runner_, watched, at.address, spec, std::move(machine)));
    runner_.begin(*watched.checks.back(), first_within_);
  }
}

bool Monitor::ended(const std::string& key, const std::string& container) {
  const auto found = watched_.find(key);
  if (found == watched_.end() || !found->second->readiness) return false;
  Watched& watched = *found->second;
  const auto now = clock_.now();
  if (!watched.readiness->on_evidence(health::Evidence::Ended, "container ended", now, container)) return false;
  for (const auto& check : watched.checks) {
    // a port that is closed keeps others from ending the evidence
    if (check->spec->evidence) runner_.run_at_once(*check, Why::Event);
  }
  tell(watched);
  return true;
}

std::size_t Monitor::listener_gone(Watched& watched, const SocketAddress& where) {
  // A socket at any address is in the host's network, where other pods have none. Those of a pod are told by its
  // address.
  if (!watched.host_network && where.ip.is_unspecified()) return 0;
  for (const auto& check : watched.checks) {
    if (where.port != 0 && !connects_to(*check->spec, where.port)) continue;
    check->was_open = check->was_open || where.port != 0;
    // another listener may still answer at the port (SO_REUSEPORT), so the probe decides
    runner_.run_at_once(*check, Why::Event);
  }
  return 1;
}

std::size_t Monitor::closed(const SocketAddress& where) {
  std::size_t endpoints = 0;
  for (Watched* watched : ports_.behind(where)) {
    if (watched->readiness) {
      endpoints += listener_gone(*watched, where);
      continue;
    }
    ++endpoints;
    for (const auto& check : watched->checks) {
      if (probes::is_polled(check->spec->what)) runner_.run_at_once(*check, Why::Event);
    }
  }
  return endpoints;
}

std::size_t Monitor::opened(const SocketAddress& where) {
  std::size_t endpoints = 0;
  for (Watched* watched : ports_.behind(where)) {
    if (watched->told.health.state != HealthState::Pending) continue;
    ++endpoints;
    for (const auto& check : watched->checks) {
      if (probes::is_polled(check->spec->what)) runner_.run_at_once(*check, Why::News);
    }
  }
  return endpoints;
}

void Monitor::on_result(Check& check, const ProbeResult& result) {
  ++counters_.outcomes.at(static_cast<std::size_t>(result.outcome));
  if (result.late) ++counters_.late;
  Watched& watched = check.owner;
  const bool judged = judge_evidence(check, result);
  // most results change nothing, whatever others do
  const bool steady = result.outcome == Outcome::Success && check.machine.health().state == HealthState::Serving;
  const bool last = !steady && is_last_healthy(watched);
  const bool changed = check.machine.on_result(result, clock_.now(), last) || judged;
  runner_.go_on(check);
  if (changed) tell(watched);
  // From a timer, because retire() may destroy the endpoint whose probe is calling this.
  if (changed && retire_timer_) retire_after(Duration::zero());
  asked_.ended(check.number, check.runs);
  tell_askers();
}

bool Monitor::judge_evidence(Check& check, const ProbeResult& result) {
  if (!check.spec->evidence || result.outcome == Outcome::Unknown) return false;
  const bool success = is_success(result.outcome);
  if (success) check.was_open = true;
  // many pods declare ports at which nothing listens: only one that was open says something by being closed
  if (!check.was_open) return false;
  check.refused = result.outcome == Outcome::Refused;
  const auto& all = check.owner.checks;
  const bool another_is_dead = std::ranges::any_of(all, [](const auto& other) { return other->refused; });
  if (success && another_is_dead) return false;
  return check.owner.readiness->on_result(result, clock_.now());
}

bool Monitor::is_last_healthy(const Watched& watched) const {
  const model::Endpoint& told = watched.told;
  const std::size_t own = told.health.state == HealthState::Serving ? 1 : 0;
  return services_.serving({told.namespace_, told.service}) == own;
}

void Monitor::tell(Watched& watched) {
  model::Endpoint now = watched.found.endpoint;
  now.key = watched.found.key;
  now.node = options_.node;
  now.health = watched.health();
  if (now == watched.told) return;
  const model::Health before = std::exchange(watched.told, std::move(now)).health;
  log_change(watched.told, before);
  services_.put(watched.told.key, {watched.told.namespace_, watched.told.service}, watched.told.health);
  sink_.put(watched.told);
}

void Monitor::run_now(const std::string& namespace_, const std::string& service,
                      std::function<void(const std::vector<CheckView>&)> done) {
  std::map<std::uint64_t, std::uint64_t> runs;
  std::vector<Check*> wanted;
  for (const auto& [key, watched] : watched_) {
    const model::Endpoint& endpoint = watched->found.endpoint;
    if (endpoint.namespace_ != namespace_ || endpoint.service != service) continue;
    for (const auto& check : watched->checks) {
      runs[check->number] =
          check->runs + (check->running ? 2 : 1);  // a run that has begun may be older than the question
      wanted.push_back(check.get());
    }
  }
  asked_.wait(std::move(runs), [this, namespace_, service, call = std::move(done)] {
    std::vector<CheckView> views = checks();
    std::erase_if(views,
                  [&](const CheckView& view) { return view.namespace_ != namespace_ || view.service != service; });
    call(views);
  });
  for (Check* check : wanted) runner_.run_at_once(*check, Why::News);
  tell_askers();
}

/// From a timer, because checks end in the middle of changes.
void Monitor::tell_askers() {
  if (!asked_.has_complete() || asked_timer_) return;
  asked_timer_ = timers_.after(Duration::zero(), [this] {
    asked_timer_.reset();
    for (const auto& done : asked_.take_complete()) done();
  });
}

std::map<std::string, std::size_t> Monitor::unknown() const {
  std::map<std::string, std::size_t> out;
  for (const auto& [key, watched] : watched_) {
    for (const auto& check : watched->checks) {
      const auto& last = check->last;
      if (last && last->outcome == Outcome::Unknown && !last->pending) ++out[last->detail];
    }
  }
  return out;
}

std::map<std::string, model::Endpoint> Monitor::endpoints() const {
  std::map<std::string, model::Endpoint> out;
  for (const auto& [key, watched] : watched_) out.emplace(key, watched->told);
  return out;
}

std::vector<CheckView> Monitor::checks() const {
  std::vector<CheckView> out;
  for (const auto& [key, watched] : watched_) {
    for (const auto& check : watched->checks) out.push_back(view_of(*check));
  }
  return out;
}

}  // namespace meshdns::agent::app
