// The part of Agents that handles endpoints that no agent checks.
#include <algorithm>
#include <set>
#include <utility>

#include "common/log/log.h"
#include "dnsd/federation/agents.h"
#include "dnsd/federation/report_session.h"

namespace meshdns::federation {

void Agents::publish_unwatched(const std::string& node, const std::string& held_by, TimePoint now) {
  const auto* known = env_.catalog.latest_status(node);
  model::NodeStatus status = known != nullptr ? *known : model::NodeStatus{.since = now};
  if (held_by.empty()) log::warn("nobody checks endpoints", {{"node", node}, {"problem", status.problem}});
  status.unwatched = held_by.empty();
  status.held = held_by;
  env_.catalog.set_status(node, status, now);
}

void Agents::sources_told(const std::string& node, const google::protobuf::RepeatedPtrField<v1::Source>& sources) {
  const TimePoint now = env_.clock.now();
  const auto* known = env_.catalog.latest_status(node);
  model::NodeStatus status = known != nullptr ? *known : model::NodeStatus{.since = now};
  const auto unread = std::ranges::find_if(sources, [](const v1::Source& source) { return !source.listed(); });
  const std::string problem = unread == sources.end() ? "" : Coverage::problem_text(unread->name(), unread->error());
  if (problem == status.problem) return;
  if (problem.empty()) {
    log::info("agent reads its endpoints again", {{"node", node}});
  } else {
    log::warn("agent does not read its endpoints", {{"node", node}, {"problem", problem}});
  }
  if (status.problem.empty() && !status.silent && !status.in_doubt) status.since = now;
  status.problem = problem;
  env_.catalog.set_status(node, status, now);
}

void Agents::records_told(const std::string& node, const std::set<std::string>& listed) {
  const TimePoint now = env_.clock.now();
  const NodeCopy& copy = copies_[node];
  if (copy.no_room > 0) short_of_room_.insert(node);
  coverage_.told(node, copy, listed, std::max(Leases::lease_of(leases_.heartbeat()), Leases::kTolerance), now);
  if (!coverage_.is_lapsed(node)) clear_unwatched(node, now);
}

void Agents::clear_unwatched(const std::string& node, TimePoint now) {
  const auto* known = env_.catalog.latest_status(node);
  if (known == nullptr || known->silent || known->in_doubt) return;
  model::NodeStatus status = *known;
  status.unwatched = false;
  status.held.clear();
  env_.catalog.set_status(node, status, now);
}

}  // namespace meshdns::federation
