#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "common/log/log.h"
#include "dnsd/federation/agents.h"
#include "dnsd/federation/report_session.h"

// The part of Agents that forgets nodes, after a time or by an operator's order, and asks agents for lost records.

namespace meshdns::federation {
namespace {

// agents that are asked for a Full in one sweep because there is room again
constexpr std::size_t kAskedPerSweep = 16;

std::string node_of(const std::string& endpoint) {
  const auto slash = endpoint.find('/');
  return slash == std::string::npos ? "" : endpoint.substr(0, endpoint.find('/', slash + 1));
}

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

void Agents::forget(Duration forget_after) {
  brakes_.begin_deletions();
  // a frozen mesh forgets no node: the status that it shows is not the latest one
  if (!env_.catalog.frozen()) forget_silent(forget_after, env_.clock.now());
  tell_of_brakes();
  forget_gone();
}

void Agents::ask_for_full(const std::string& node) {
  copies_[node].whole = false;
  if (const auto session = holder(node)) session->ask_for_full();
}

void Agents::ask_for_missing() {
  std::set<std::string> nodes;
  for (const std::string& key : std::exchange(erased_, {})) {
    const std::string node = node_of(key);
    const std::string own = own_key(node, key);
    const auto copy = copies_.find(node);
    const bool is_missing = copy != copies_.end() && env_.catalog.latest_endpoint(key) == nullptr &&
                            env_.catalog.knows_node(node) && copy->second.has(own);
    if (!is_missing) continue;
    copy->second.erase(own);
    nodes.insert(node);
  }
  for (const std::string& node : nodes) ask_for_full(node);
  offer_room();
}

void Agents::offer_room() {
  std::size_t room = short_of_room_.empty() ? 0 : env_.catalog.room();
  for (std::size_t asked = 0; room > 0 && asked < kAskedPerSweep && !short_of_room_.empty(); ++asked) {
    const std::string node = short_of_room_.extract(short_of_room_.begin()).value();
    const auto copy = copies_.find(node);
    if (copy == copies_.end()) continue;
    room -= std::min(room, std::exchange(copy->second.no_room, 0));
    ask_for_full(node);
  }
}

void Agents::forget_silent(Duration forget_after, TimePoint now) {
  const auto& records = env_.catalog.records();
  std::map<std::string, std::string> held;
  const auto forgotten = env_.catalog.forget(forget_after, now, [&](const std::string& node, std::size_t endpoints) {
    std::string held_by =
        brakes_.judge(Brakes::Deletion{node, zone_of(node), endpoints, records.endpoints.size()}, now);
    if (held_by.empty()) return true;
    held.emplace(node, std::move(held_by));
    return false;
  });
  log_forgotten(forgotten, now);
  ask_for_missing();
  std::map<std::string, model::NodeStatus> changed;
  for (const auto& [node, status] : records.statuses) {
    const auto found = held.find(node);
    const std::string held_by = found == held.end() ? "" : found->second;
    if (!status.silent || status.held == held_by) continue;
    changed.emplace(node, status).first->second.held = held_by;
  }
  for (const auto& [node, status] : changed) env_.catalog.set_status(node, status, now);
}

void Agents::forget_gone() {
  const std::uint64_t generation = env_.catalog.generation_of(catalog::RecordType::Node);
  if (std::exchange(forgotten_generation_, generation) == generation) return;
  const auto gone = [this](const std::string& node) { return !env_.catalog.knows_node(node); };
  for (const auto& [node, session] : holders_) {
    const auto holder = session.lock();
    if (holder && gone(node))
      holder->goodbye(v1::Goodbye::FORGOTTEN, "not heard for so long that it was forgotten", 0s);
  }
  std::erase_if(copies_, [&](const auto& entry) {
    if (!gone(entry.first)) return false;
    coverage_.forget(entry.first);
    return true;
  });
  leases_.forget_if(gone);
}

Result<void> Agents::remove(const std::string& node) {
  if (!env_.catalog.knows_node(node)) return Error(Code::NotFound, "Node " + node + " not found");
  if (is_connected(node)) {
    return Error(Code::FailedPrecondition, "the agent of " + node +
                                               " is connected: it would report the node again; stop it there with "
                                               "`meshdns-agent leave`");
  }
  if (env_.catalog.frozen())
    return Error(Code::FailedPrecondition, "the mesh is frozen: nothing is forgotten before thaw");
  env_.catalog.withdraw(node, env_.clock.now());
  leases_.forget(node);
  copies_.erase(node);
  coverage_.forget(node);
  if (env_.synced) env_.synced(node);
  env_.changed();
  return {};
}

}  // namespace meshdns::federation
