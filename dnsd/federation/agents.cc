#include "dnsd/federation/agents.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "dnsd/federation/report_session.h"

namespace meshdns::federation {

Agents::Agents(Environment environment)
    : env_(std::move(environment)),
      leases_(env_.clock.now()),
      admission_(env_.rates),
      measuring_(env_.catalog),
      coverage_(env_.catalog) {
  env_.catalog.set_erased([this](const std::string& key) { erased_.push_back(key); });
  env_.catalog.set_wall_clock([&clock = env_.clock] { return clock.unix_seconds(); });
}

Agents::~Agents() {
  env_.catalog.set_erased({});
  env_.catalog.set_wall_clock({});
  // streams may keep their sessions alive for longer than this object, to which the timers and quotas refer
  for (const auto& [key, session] : sessions_) {
    session->cancel_timers();
    session->drop_full();
  }
}

void Agents::restored(const model::Endpoint& endpoint, std::uint64_t digest) {
  const auto [at, first] = copies_.try_emplace(endpoint.node);
  NodeCopy& copy = at->second;
  copy.whole = (first || copy.whole) && digest != 0;
  if (digest != 0) copy.put(own_key(endpoint.node, endpoint.key), digest);
}

std::uint64_t Agents::digest_of(const model::Endpoint& endpoint) const {
  if (env_.catalog.frozen()) return 0;
  const auto copy = copies_.find(endpoint.node);
  if (copy == copies_.end() || !copy->second.whole) return 0;
  const std::string key = own_key(endpoint.node, endpoint.key);
  return copy->second.watches(key) ? copy->second.hash_of(key) : 0;
}

std::shared_ptr<ReportSession> Agents::open(std::shared_ptr<ReportPort> port, std::shared_ptr<Pulse> pulse,
                                            ReportPeer peer) {
  ++counters_.sessions;
  auto session = std::make_shared<ReportSession>(*this, port, std::move(pulse), std::move(peer));
  sessions_[session.get()] = session;
  openings_.opened(session, env_.clock.now());
  if (shutting_down_) {
    session->goodbye(v1::Goodbye::SHUTTING_DOWN, "the federation is ending", 1s);
  } else {
    port->read_next();
  }
  return session;
}

void Agents::end_silent_streams() {
  session_lines_.look(env_.clock.now());
  openings_.each_due(env_.clock.now(), [](const std::shared_ptr<ReportSession>& session) {
    if (!session->said_hello()) session->goodbye(v1::Goodbye::PROTOCOL_ERROR, "no Hello within 10 s", 5s);
  });
}

void Agents::refused(const std::string& peer, const Error& why) {
  ++counters_.not_allowed;
  session_lines_.warn(env_.clock.now(), "caller refused", {{"peer", peer}, {"reason", why.message()}});
}

std::shared_ptr<ReportSession> Agents::holder(const std::string& node) const {
  const auto found = holders_.find(node);
  return found == holders_.end() ? nullptr : found->second.lock();
}

void Agents::take_over(const std::string& node, const std::shared_ptr<ReportSession>& session) {
  if (const auto old = holder(node); old && old != session) {
    old->goodbye(v1::Goodbye::REPLACED, "a newer session speaks for " + node, 5s);
  }
  holders_[node] = session;
  ++holders_changed_;
}

void Agents::closed(const ReportSession& session) {
  const auto held = holders_.find(session.node());
  if (held != holders_.end()) {
    const auto current = held->second.lock();
    if (!current || current.get() == &session) {
      holders_.erase(held);
      ++holders_changed_;
      // a long list of refused keys need not be kept: the agent sends the records again when it comes back
      const auto copy = copies_.find(session.node());
      const bool is_large =
          copy != copies_.end() && copy->second.size() > env_.catalog.endpoints_of(session.node()) + kMostKeptKeys;
      if (is_large) copies_.erase(copy);
    }
  }
  sessions_.erase(&session);
}

std::uint64_t Agents::next_epoch(std::uint64_t echoed) {
  const auto unix_seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, env_.clock.unix_seconds()));
  const std::uint64_t own = std::max(last_epoch_, unix_seconds);
  const bool is_sane = echoed <= unix_seconds + kMostEpochAhead || echoed <= own;
  if (!is_sane) {
    ++counters_.clamped;
    session_lines_.warn(env_.clock.now(), "an agent's last_epoch is ignored: it is too far ahead",
                        {{"last_epoch", echoed}, {"own", own}});
  }
  last_epoch_ = std::max(own, is_sane ? echoed : 0) + 1;
  return last_epoch_;
}

std::uint64_t Agents::session_of(const model::Node& node, std::uint64_t epoch) const {
  const model::Node* known = env_.catalog.latest_node(node.key);
  const model::NodeStatus* status = env_.catalog.latest_status(node.key);
  const bool goes_on = known != nullptr && (status == nullptr || !status->silent) &&
                       known->addresses == node.addresses && known->prefixes == node.prefixes;
  return goes_on && known->session != 0 ? known->session : epoch;
}

bool Agents::needs_full(const std::string& node, std::uint64_t digest) const {
  const auto copy = copies_.find(node);
  return copy == copies_.end() || !copy->second.whole || copy->second.digest() != digest ||
         !env_.catalog.knows_node(node);
}

bool Agents::has_room_for(const std::string& node) {
  if (env_.catalog.records().nodes.contains(node) || env_.catalog.has_room()) return true;
  env_.catalog.note_refused_for_room();
  return false;
}

Duration Agents::defer(const std::string& node, std::uint64_t digest) {
  const Duration wait = admission_.ask(needs_full(node, digest), load_.lateness(), env_.clock.now());
  if (wait > Duration::zero()) ++counters_.deferred;
  return wait;
}

void Agents::measure_load(TimePoint now) {
  const bool was_busy = load_.busy();
  load_.measured(leases_.lag(), now);
  leases_.stretch(load_.stretch());
  if (load_.busy() && !was_busy) {
    log::warn("busy: agents are told to send fewer heartbeats",
              {{"late", load_.lateness()}, {"agents", leases_.size()}});
  }
  if (!load_.busy() && was_busy) log::info("no longer busy", {{"agents", leases_.size()}});
}

void Agents::take_pulses() {
  for (const std::shared_ptr<Pulse>& noted : pulses_.take()) {
    if (noted->session != nullptr) noted->session->take_pulse();
  }
}

void Agents::sweep() {
  take_pulses();
  const TimePoint now = env_.clock.now();
  bool fell_silent = false;
  for (const auto& [node, status] : leases_.sweep(now)) {
    fell_silent = fell_silent || status.silent;
    if (!status.silent) publish(node, status, now);
  }
  measure_load(now);
  ask_for_missing();
  const Coverage::Swept swept = coverage_.sweep(now);
  fell_silent = fell_silent || swept.lapsed;
  for (const std::string& node : swept.over) clear_unwatched(node, now);
  waiting_ = waiting_ || fell_silent;
  if (waiting_ && (fell_silent || now - judged_ >= judge_pace())) demote(now);
  sweep_measuring(now);
  env_.changed();
}

void Agents::publish(const std::string& node, model::NodeStatus status, TimePoint now) {
  const auto* known = env_.catalog.latest_status(node);
  const bool was_silent = known != nullptr && known->silent;
  if (known != nullptr) {
    status.problem = known->problem;
    status.unwatched = known->unwatched;
    if (!status.silent && !status.in_doubt) status.since = known->silent || known->in_doubt ? now : known->since;
  }
  env_.catalog.set_status(node, status, now);
  if (status.silent && !was_silent) {
    session_lines_.warn(now, "agent silent", {{"node", node}, {"for", now - status.since}});
  }
  if (!status.silent && was_silent) session_lines_.info(now, "agent heard again", {{"node", node}});
}

std::string Agents::zone_of(const std::string& node) const {
  return Brakes::zone_text(model::locality_of(env_.catalog.records(), node));
}

Brakes::Hearing Agents::hear(TimePoint now) const {
  const model::Records& records = env_.catalog.records();
  Brakes::Hearing out;
  out.registry = records.endpoints.size();
  out.endpoints_of = [this](const std::string& node) { return env_.catalog.endpoints_of(node); };
  leases_.each(now, [&](const Leases::Hearing& agent) {
    std::string zone = zone_of(agent.node);
    if (!agent.overdue) {
      if (!coverage_.is_lapsed(agent.node)) ++out.heard[std::move(zone)];
      return;
    }
    if (!agent.silent && coverage_.is_lapsed(agent.node)) return;  // each_lapsed() adds it below
    const auto* known = env_.catalog.latest_status(agent.node);
    const bool demoted = known != nullptr && known->silent;
    out.unheard.push_back({agent.node, std::move(zone), agent.since, agent.silent, demoted});
  });
  // a node whose endpoints are not checked counts as unheard: its heartbeats say nothing about those endpoints
  coverage_.each_lapsed([&](const Coverage::Lapsed& lapsed) {
    if (!leases_.knows(lapsed.node) || leases_.status(lapsed.node).silent) return;
    const auto* known = env_.catalog.latest_status(lapsed.node);
    const bool demoted = known != nullptr && known->unwatched;
    out.unheard.push_back({lapsed.node, zone_of(lapsed.node), lapsed.since, true, demoted});
  });
  return out;
}

void Agents::demote(TimePoint now) {
  waiting_ = false;
  judged_ = now;
  for (const auto& [node, held_by] : brakes_.judge(hear(now), now)) {
    waiting_ = waiting_ || !held_by.empty();
    model::NodeStatus status = leases_.status(node);
    if (!status.silent) {
      publish_unwatched(node, held_by, now);
      continue;
    }
    status.silent = held_by.empty();
    status.held = held_by;
    publish(node, status, now);
  }
  tell_of_brakes();
}

void Agents::tell_of_brakes() {
  const auto told = std::exchange(brakes_told_, {});
  for (const Brakes::Closed& brake : brakes_.closed()) {
    const auto [at, added] = brakes_told_.try_emplace({brake.name, brake.covers}, brake.held);
    if (told.contains(at->first)) continue;
    ++counters_.brakes_closed[brake.name];
    log::warn("brake closed",
              {{"brake", brake.name}, {"covers", brake.covers}, {"reason", brake.reason}, {"held", brake.held}});
  }
  for (const auto& [brake, held] : told) {
    if (!brakes_told_.contains(brake))
      log::info("brake open", {{"brake", brake.first}, {"covers", brake.second}, {"held", held}});
  }
}

void Agents::sweep_measuring(TimePoint now) {
  if (!measuring_.due(now)) return;
  const auto connected = [this] {
    std::set<std::string> out;
    for (const auto& [node, session] : holders_) out.insert(node);
    return out;
  };
  for (const std::string& node : measuring_.sweep({holders_changed_, connected}, now)) {
    if (const auto session = holder(node)) session->send_settings();
  }
}

void Agents::shut_down() {
  shutting_down_ = true;
  auto sessions = sessions_;  // a copy: goodbye() may remove sessions
  for (const auto& [key, session] : sessions) {
    session->goodbye(v1::Goodbye::SHUTTING_DOWN, "the federation is ending", 1s);
  }
}

}  // namespace meshdns::federation
