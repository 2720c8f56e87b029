#include "dnsd/federation/agents.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "dnsd/federation/report_session.h"

namespace meshdns::federation {
namespace {

void log_forgotten(const catalog::Forgotten& forgotten, TimePoint now) {
  for (const auto& gone : forgotten.nodes) {
    log::warn(gone.kept == 0 ? "node forgotten" : "endpoints forgotten",
              {{"node", gone.node}, {"endpoints", gone.endpoints}, {"kept", gone.kept}, {"silent", now - gone.since}});
  }
  for (const auto& service : forgotten.services) {
    log::info("service forgotten", {{"service", catalog::service_key_text(service)}});
  }
}

}  // namespace

std::shared_ptr<ReportSession> Agents::open(std::shared_ptr<ReportPort> port, std::shared_ptr<Pulse> pulse,
                                            ReportPeer peer) {
  ++reports_.counters().sessions;
  auto session = std::make_shared<ReportSession>(reports_, port, std::move(pulse), std::move(peer));
  reports_.sessions().opened(session, reports_.now());
  if (shutting_down_) {
    session->goodbye(v1::Goodbye::SHUTTING_DOWN, "the federation is ending", 1s);
  } else {
    port->read_next();
  }
  return session;
}

void Agents::end_silent_streams() {
  reports_.lines().look(reports_.now());
  reports_.sessions().end_silent(reports_.now());
}

void Agents::measure_load(TimePoint now) {
  const bool was_busy = reports_.load().busy();
  reports_.load().measured(reports_.leases().lag(), now);
  reports_.leases().stretch(reports_.load().stretch());
  if (reports_.load().busy() && !was_busy) {
    log::warn("busy: agents are told to send fewer heartbeats",
              {{"late", reports_.load().lateness()}, {"agents", reports_.leases().size()}});
  }
  if (!reports_.load().busy() && was_busy) log::info("no longer busy", {{"agents", reports_.leases().size()}});
}

void Agents::sweep() {
  reports_.sessions().take_pulses();
  const TimePoint now = reports_.now();
  bool fell_silent = false;
  for (const auto& [node, status] : reports_.leases().sweep(now)) {
    if (status.silent && reports_.lease_over(node)) continue;
    fell_silent = fell_silent || status.silent;
    if (!status.silent) publish(node, status, now);
    if (status.empty()) reports_.heard_again(node);
  }
  measure_load(now);
  reports_.apply_changed_rules();
  reports_.ask_for_missing();
  reports_.bindings().tidy();
  const Coverage::Swept swept = reports_.coverage().sweep(now);
  if (swept.lapsed) reports_.take_over_lapsed();
  fell_silent = fell_silent || swept.lapsed;
  reports_.stand_ins().offer_room(now);
  for (const std::string& node : swept.over) reports_.clear_unwatched(node, now);
  waiting_ = waiting_ || fell_silent;
  if (waiting_ && (fell_silent || now - judged_ >= judge_pace())) demote(now);
  sweep_measuring(now);
  sweep_mappings();
  reports_.environment().changed();
}

void Agents::publish(const std::string& node, model::NodeStatus status, TimePoint now) {
  const auto* known = reports_.catalog().latest_status(node);
  const bool was_silent = known != nullptr && known->silent;
  if (known != nullptr) {
    status.problem = known->problem;
    status.unwatched = known->unwatched;
    if (!status.silent && !status.in_doubt) status.since = known->silent || known->in_doubt ? now : known->since;
  }
  reports_.catalog().set_status(node, status, now);
  if (status.silent && !was_silent) {
    reports_.lines().warn(now, "agent silent", {{"node", node}, {"for", now - status.since}});
  }
  if (!status.silent && was_silent) reports_.lines().info(now, "agent heard again", {{"node", node}});
}

void Agents::publish_unwatched(const std::string& node, const std::string& held_by, TimePoint now) {
  const auto* known = reports_.catalog().latest_status(node);
  model::NodeStatus status = known != nullptr ? *known : model::NodeStatus{.since = now};
  if (held_by.empty()) log::warn("nobody checks endpoints", {{"node", node}, {"problem", status.problem}});
  status.unwatched = held_by.empty();
  status.held = held_by;
  reports_.catalog().set_status(node, status, now);
}

std::string Agents::zone_of(const std::string& node) const {
  return Brakes::zone_text(model::locality_of(reports_.catalog().records(), node));
}

Brakes::Hearing Agents::hear(TimePoint now) const {
  const model::Records& records = reports_.catalog().records();
  Brakes::Hearing out;
  out.registry = records.endpoints.size();
  out.endpoints_of = [this](const std::string& node) { return reports_.catalog().endpoints_of(node); };
  reports_.leases().each(now, [&](const Leases::Hearing& agent) {
    std::string zone = zone_of(agent.node);
    if (!agent.overdue) {
      if (!reports_.coverage().is_lapsed(agent.node)) ++out.heard[std::move(zone)];
      return;
    }
    if (!agent.silent && reports_.coverage().is_lapsed(agent.node)) return;  // each_lapsed() adds it below
    const auto* known = reports_.catalog().latest_status(agent.node);
    const bool demoted = known != nullptr && known->silent;
    out.unheard.push_back({agent.node, std::move(zone), agent.since, agent.silent, demoted});
  });
  // a node whose endpoints are not checked counts as unheard: its heartbeats say nothing about those endpoints
  reports_.coverage().each_lapsed([&](const Coverage::Lapsed& lapsed) {
    if (!reports_.leases().knows(lapsed.node) || reports_.leases().status(lapsed.node).silent) return;
    const auto* known = reports_.catalog().latest_status(lapsed.node);
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
    model::NodeStatus status = reports_.leases().status(node);
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
    ++reports_.counters().brakes_closed[brake.name];
    log::warn("brake closed",
              {{"brake", brake.name}, {"covers", brake.covers}, {"reason", brake.reason}, {"held", brake.held}});
  }
  for (const auto& [brake, held] : told) {
    if (!brakes_told_.contains(brake))
      log::info("brake open", {{"brake", brake.first}, {"covers", brake.second}, {"held", held}});
  }
}

void Agents::sweep_measuring(TimePoint now) {
  Measuring& measuring = reports_.measuring();
  if (!measuring.due(now)) return;
  const AgentSessions& sessions = reports_.sessions();
  for (const std::string& node : measuring.sweep({sessions.version(), [&] { return sessions.nodes(); }}, now)) {
    if (const auto session = sessions.holder(node)) session->send_settings();
  }
}

void Agents::sweep_mappings() {
  const auto& changed = reports_.environment().mappings.changed;
  if (!changed) return;
  for (const std::string& node : changed()) {
    if (const auto session = reports_.sessions().holder(node)) session->tell_mappings();
  }
}

void Agents::tell_mappings() {
  reports_.sessions().each_holder([](const std::string&, const auto& session) { session->tell_mappings(); });
}

void Agents::shut_down() {
  shutting_down_ = true;
  reports_.sessions().shut_down();
}

// ---- forgetting, after a time or by an operator's order ----

void Agents::forget(Duration forget_after) {
  brakes_.begin_deletions();
  // a frozen mesh forgets no node: the status that it shows is not the latest one
  if (!reports_.catalog().frozen()) forget_silent(forget_after, reports_.now());
  tell_of_brakes();
  forget_gone();
}

void Agents::forget_silent(Duration forget_after, TimePoint now) {
  const auto& records = reports_.catalog().records();
  std::map<std::string, std::string> held;
  const auto forgotten =
      reports_.catalog().forget(forget_after, now, [&](const std::string& node, std::size_t endpoints) {
        std::string held_by =
            brakes_.judge(Brakes::Deletion{node, zone_of(node), endpoints, records.endpoints.size()}, now);
        if (held_by.empty()) return true;
        held.emplace(node, std::move(held_by));
        return false;
      });
  log_forgotten(forgotten, now);
  for (const auto& gone : forgotten.nodes) {
    if (gone.kept == 0) reports_.stand_ins().take_over(gone.node, StandIns::Others::Go, now);
  }
  reports_.ask_for_missing();
  std::map<std::string, model::NodeStatus> changed;
  for (const auto& [node, status] : records.statuses) {
    const auto found = held.find(node);
    const std::string held_by = found == held.end() ? "" : found->second;
    if (!status.silent || status.held == held_by) continue;
    changed.emplace(node, status).first->second.held = held_by;
  }
  for (const auto& [node, status] : changed) reports_.catalog().set_status(node, status, now);
}

void Agents::forget_gone() {
  const std::uint64_t generation = reports_.catalog().generation_of(catalog::RecordType::Node);
  if (std::exchange(forgotten_generation_, generation) == generation) return;
  const auto gone = [this](const std::string& node) { return !reports_.catalog().knows_node(node); };
  reports_.sessions().each_holder([&](const std::string& node, const std::shared_ptr<ReportSession>& holder) {
    if (gone(node)) holder->goodbye(v1::Goodbye::FORGOTTEN, "not heard for so long that it was forgotten", 0s);
  });
  reports_.forget_if(gone);
}

Result<void> Agents::remove(const std::string& node) {
  if (!reports_.catalog().knows_node(node)) return Error(Code::NotFound, "Node " + node + " not found");
  if (is_connected(node)) {
    return Error(Code::FailedPrecondition, "the agent of " + node +
                                               " is connected: it would report the node again; stop it there with "
                                               "`meshdns-agent leave`");
  }
  if (reports_.catalog().frozen())
    return Error(Code::FailedPrecondition, "the mesh is frozen: nothing is forgotten before thaw");
  reports_.withdraw(node);
  reports_.environment().changed();
  return {};
}

}  // namespace meshdns::federation
