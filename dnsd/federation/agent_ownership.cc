#include "common/log/log.h"
#include "common/model/sources.h"
#include "dnsd/federation/agent_reports.h"
#include "dnsd/federation/report_session.h"

// The part of AgentReports that decides when pods change hands between agents and watchers. StandIns makes the changes.

namespace meshdns::federation {

void AgentReports::withdraw(const std::string& node) {
  const bool taken_over = stand_ins_.take_over(node, StandIns::Others::Go, now());
  if (!taken_over) env_.catalog.withdraw(node, now());
  forget(node);
  synced(node);
}

void AgentReports::begins(const std::string& node, bool names_all_pods) {
  leases_.heard(node, now());
  farewells_.erase(node);
  if (!names_all_pods) {
    names_some_.insert(node);
    // the agent was of a newer version before
    if (stand_ins_.owned_by_agent(node)) stand_ins_.agent_is_silent(node, now());
  } else if (names_some_.erase(node) != 0) {
    copies_[node].whole = false;  // upgraded: only a Full says which of the watcher's pods the agent knows
  }
}

void AgentReports::pods_may_be_unnamed(const std::string& node) {
  if (names_some_.contains(node)) stand_ins_.agent_is_silent(node, now());
}

void AgentReports::leaves(const std::string& node, bool withdraws) {
  lines_.info(now(), "agent leaves", {{"node", node}, {"withdraw", withdraws}});
  if (withdraws) {
    withdraw(node);
  } else {
    farewells_.insert(node);
  }
}

bool AgentReports::lease_over(const std::string& node) {
  if (deleted_.contains(node)) {
    withdraw(node);
    return true;
  }
  if (farewells_.contains(node) && stand_ins_.take_over(node, StandIns::Others::Unwatched, now())) {
    lines_.info(now(), "agent gone: its pods are followed by the API server's word", {{"node", node}});
    forget(node);
    synced(node);
    return true;
  }
  stand_ins_.agent_is_silent(node, now());
  return false;
}

void AgentReports::heard_again(const std::string& node) {
  if (lists_pods_.contains(node)) pods_told(node, true);
  const bool names_all = lists_pods_.contains(node) && !names_some_.contains(node);
  if (names_all && stand_ins_.has_records(node)) ask_for_full(node);
}

void AgentReports::pods_told(const std::string& node, bool listed) {
  if (!listed) {
    lists_pods_.erase(node);
    if (!stand_ins_.has_agents_records(node)) stand_ins_.agent_is_silent(node, now());
    return;
  }
  lists_pods_.insert(node);
  if (names_some_.contains(node)) return stand_ins_.agent_is_silent(node, now());
  // with records of the watcher's, a Full decides which of them the agent knows: records_told(), has_leftovers()
  if (!stand_ins_.has_records(node)) stand_ins_.agent_owns(node, now());
}

void AgentReports::take_over_lapsed() {
  std::vector<std::string> nodes;
  coverage_.each_lapsed([&](const Coverage::Lapsed& lapsed) {
    if (stand_ins_.has_agents_records(lapsed.node)) nodes.push_back(lapsed.node);
  });
  for (const std::string& node : nodes) {
    // a pod that the agent has named is still its own, even if its last report of the pod was refused
    const bool reads_pods = lists_pods_.contains(node);
    if (reads_pods || !stand_ins_.take_over(node, StandIns::Others::Stay, now())) continue;
    lines_.warn(now(), "agent reads no pods: they are followed by the API server's word", {{"node", node}});
    if (coverage_.is_over(node)) clear_unwatched(node, now());
  }
}

void AgentReports::watcher_listed() {
  std::vector<std::string> nodes;
  for (const std::string& node : farewells_) {
    if (leases_.knows(node) && leases_.status(node).silent) nodes.push_back(node);
  }
  for (const std::string& node : nodes) lease_over(node);
  take_over_lapsed();
}

void AgentReports::node_deleted(const std::string& node) {
  if (!env_.catalog.knows_node(node)) return;
  if (sessions_.is_connected(node)) {
    deleted_.insert(node);
    return;
  }
  lines_.info(now(), "node deleted in Kubernetes: its records go", {{"node", node}});
  withdraw(node);
}

}  // namespace meshdns::federation
