#include "dnsd/federation/agent_reports.h"

#include <algorithm>
#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/model/sources.h"
#include "dnsd/federation/report_decoder.h"
#include "dnsd/federation/report_session.h"

namespace meshdns::federation {
namespace {

// agents that are asked for a Full in one sweep because there is room again
constexpr std::size_t kAskedPerSweep = 16;

std::string node_of(const std::string& endpoint) {
  const auto slash = endpoint.find('/');
  return slash == std::string::npos ? "" : endpoint.substr(0, endpoint.find('/', slash + 1));
}

}  // namespace

AgentReports::AgentReports(AgentEnvironment environment)
    : env_(std::move(environment)),
      leases_(env_.clock.now()),
      admission_(env_.rates),
      measuring_(env_.catalog),
      coverage_(env_.catalog),
      rules_(env_.catalog, env_.identities),
      bindings_(env_.catalog, env_.changed),
      stand_ins_(env_.catalog) {
  env_.catalog.set_erased([this](const std::string& key) { erased_.push_back(key); });
  env_.catalog.set_wall_clock([&clock = env_.clock] { return clock.unix_seconds(); });
}

AgentReports::~AgentReports() {
  env_.catalog.set_erased({});
  env_.catalog.set_wall_clock({});
  sessions_.abandon();  // streams may keep their sessions alive for longer than this object
}

// ---- copies ----

void AgentReports::restored(const model::Endpoint& endpoint, std::uint64_t digest) {
  if (endpoint.source == model::kSliceSource) return;
  const auto [at, first] = copies_.try_emplace(endpoint.node);
  NodeCopy& copy = at->second;
  copy.whole = (first || copy.whole) && digest != 0;
  if (digest != 0) copy.put(own_key(endpoint.node, endpoint.key), digest);
}

std::uint64_t AgentReports::digest_of(const model::Endpoint& endpoint) const {
  if (env_.catalog.frozen()) return 0;
  const auto copy = copies_.find(endpoint.node);
  if (copy == copies_.end() || !copy->second.whole) return 0;
  const std::string key = own_key(endpoint.node, endpoint.key);
  return copy->second.watches(key) ? copy->second.hash_of(key) : 0;
}

void AgentReports::forget(const std::string& node) {
  leases_.forget(node);
  copies_.erase(node);
  coverage_.forget(node);
  rules_.forget(node);
  stand_ins_.forget(node);
  lists_pods_.erase(node);
  names_some_.erase(node);
  farewells_.erase(node);
  deleted_.erase(node);
}

void AgentReports::forget_if(const std::function<bool(const std::string& node)>& gone) {
  std::erase_if(copies_, [&](const auto& entry) {
    if (!gone(entry.first)) return false;
    coverage_.forget(entry.first);
    return true;
  });
  rules_.forget_if(gone);  // nodes without endpoints have no copy, but claims
  leases_.forget_if(gone);
  std::erase_if(lists_pods_, gone);
  std::erase_if(names_some_, gone);
  std::erase_if(farewells_, gone);
  std::erase_if(deleted_, gone);
}

// ---- the begin and the end of a session ----

bool AgentReports::has_room_for(const std::string& node) {
  if (env_.catalog.records().nodes.contains(node) || env_.catalog.has_room()) return true;
  env_.catalog.note_refused_for_room();
  return false;
}

Duration AgentReports::defer(const std::string& node, std::uint64_t digest) {
  const Duration wait = admission_.ask(needs_full(node, digest), load_.lateness(), now());
  if (wait > Duration::zero()) ++counters_.deferred;
  return wait;
}

bool AgentReports::needs_full(const std::string& node, std::uint64_t digest) const {
  const auto copy = copies_.find(node);
  return copy == copies_.end() || !copy->second.whole || copy->second.digest() != digest ||
         !env_.catalog.knows_node(node);
}

std::uint64_t AgentReports::next_epoch(std::uint64_t echoed) {
  const auto unix_seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, env_.clock.unix_seconds()));
  const std::uint64_t own = std::max(last_epoch_, unix_seconds);
  const bool is_sane = echoed <= unix_seconds + kMostEpochAhead || echoed <= own;
  if (!is_sane) {
    ++counters_.clamped;
    lines_.warn(now(), "an agent's last_epoch is ignored: it is too far ahead", {{"last_epoch", echoed}, {"own", own}});
  }
  last_epoch_ = std::max(own, is_sane ? echoed : 0) + 1;
  return last_epoch_;
}

std::uint64_t AgentReports::session_of(const model::Node& node, std::uint64_t epoch) const {
  const model::Node* known = env_.catalog.latest_node(node.key);
  const model::NodeStatus* status = env_.catalog.latest_status(node.key);
  const bool goes_on = known != nullptr && (status == nullptr || !status->silent) &&
                       known->addresses == node.addresses && known->prefixes == node.prefixes;
  return goes_on && known->session != 0 ? known->session : epoch;
}

void AgentReports::refused(const log::AuditEntry& what) {
  ++counters_.not_allowed;
  if (env_.audit) env_.audit(what);
}

void AgentReports::closed(const ReportSession& session) {
  const std::string node = session.node();  // copied: the session may end in the next line
  if (!sessions_.closed(session)) return;
  // a long list of refused keys need not be kept: the agent sends the records again when it comes back
  const auto copy = copies_.find(node);
  const bool is_large = copy != copies_.end() && copy->second.size() > env_.catalog.endpoints_of(node) + kMostKeptKeys;
  if (is_large) copies_.erase(copy);
}

// ---- what a node may report ----

std::vector<catalog::Refusal> AgentReports::permit(model::Node& node) {
  stand_ins_.place(node);
  auto refused = rules_.permit(node);
  if (!refused.empty()) {
    lines_.warn(now(), "node claims what it may not",
                {{"node", node.key},
                 {"refused", refused.size()},
                 {"field", refused.front().field},
                 {"reason", refused.front().reason}});
  }
  return refused;
}

std::vector<catalog::Refusal> AgentReports::permit(const model::Node& node, std::vector<model::Endpoint>& endpoints,
                                                   const std::set<std::string>& listed,
                                                   const std::vector<std::string>& removals) {
  if (!rules_.limits(node)) return {};
  std::set<std::string> gone(removals.begin(), removals.end());
  for (const model::Endpoint& endpoint : endpoints) gone.insert(endpoint.key);
  std::size_t staying = env_.catalog.endpoints_of(node.key);
  if (listed.empty()) {
    for (const std::string& key : gone) {
      if (env_.catalog.latest_endpoint(key) != nullptr && key.starts_with(node.key + "/")) --staying;
    }
  } else {
    staying = 0;
    for (const std::string& key : env_.catalog.keys_of(node.key)) {
      if (!gone.contains(key) && !listed.contains(env_.catalog.latest_endpoint(key)->source)) ++staying;
    }
  }
  return rules_.permit(node, endpoints, staying);
}

void AgentReports::apply_changed_rules() {
  for (const auto& [node, may_gain] : rules_.due()) judge_again(node, may_gain);
}

void AgentReports::judge_again(const std::string& node, bool may_gain) {
  const model::Node* known = env_.catalog.latest_node(node);
  if (known == nullptr) return;
  const auto session = sessions_.holder(node);
  model::Node claimed = session ? session->claimed() : *known;
  claimed.session = known->session;
  const auto refused = permit(claimed);
  if (claimed != *known) {
    env_.catalog.set_claims(claimed, now());
    if (session) session->tell_of_claims(refused);
  }
  withdraw_forbidden(claimed);
  const auto copy = copies_.find(node);
  const bool asks = may_gain && copy != copies_.end() && std::exchange(copy->second.forbidden, false);
  if (asks) ask_for_full(node);
}

void AgentReports::withdraw_forbidden(const model::Node& node) {
  std::vector<model::Endpoint> endpoints;
  for (const std::string& key : env_.catalog.keys_of(node.key)) {
    const model::Endpoint& known = *env_.catalog.latest_endpoint(key);
    if (known.source != model::kSliceSource) endpoints.push_back(known);
  }
  const auto refused = rules_.permit(node, endpoints, 0);
  if (refused.empty()) return;
  lines_.warn(now(), "endpoints withdrawn: a rule forbids them",
              {{"node", node.key},
               {"endpoints", refused.size()},
               {"endpoint", refused.front().key},
               {"reason", refused.front().reason}});
  std::vector<std::string> keys;
  for (const catalog::Refusal& each : refused) keys.push_back(each.key);
  env_.catalog.apply_delta(node.key, {}, keys, now());
}

// ---- reports ----

void AgentReports::write_settings(const std::string& node, v1::Settings& out) {
  const Duration heartbeat = leases_.heartbeat();
  *out.mutable_heartbeat() = convert::to_wire(heartbeat);
  *out.mutable_lease() = convert::to_wire(Leases::lease_of(heartbeat));
  leases_.told(node);
  measuring_.write_targets(node, out);
}

void AgentReports::synced(const std::string& node) {
  if (env_.synced) env_.synced(node);
}

void AgentReports::told(const std::vector<model::Endpoint>& endpoints) {
  if (!env_.told) return;
  for (const model::Endpoint& endpoint : endpoints) env_.told(endpoint.key);
}

void AgentReports::note_clamped(const std::string& node, const ClampedRecords& clamped, bool told) {
  counters_.clamped += clamped.count;
  if (told) return;
  lines_.warn(now(), "durations of an agent are out of bounds: the bounds count",
              {{"node", node},
               {"endpoint", catalog::in_quotes(clamped.key)},
               {"field", clamped.first.field},
               {"said", clamped.first.said}});
}

void AgentReports::sources_told(const std::string& node,
                                const google::protobuf::RepeatedPtrField<v1::Source>& sources) {
  const TimePoint now = env_.clock.now();
  pods_told(node, std::ranges::any_of(sources, [](const v1::Source& source) {
              return source.name() == model::kPodSource && source.listed();
            }));
  const auto* known = env_.catalog.latest_status(node);
  model::NodeStatus status = known != nullptr ? *known : model::NodeStatus{.since = now};
  const auto unread = std::ranges::find_if(sources, [](const v1::Source& source) { return !source.listed(); });
  const std::string problem = unread == sources.end() ? "" : Coverage::problem_text(unread->name(), unread->error());
  if (problem == status.problem) return;
  if (problem.empty()) {
    lines_.info(now, "agent reads its endpoints again", {{"node", node}});
  } else {
    lines_.warn(now, "agent does not read its endpoints", {{"node", node}, {"problem", problem}});
  }
  if (status.problem.empty() && !status.silent && !status.in_doubt) status.since = now;
  status.problem = problem;
  env_.catalog.set_status(node, status, now);
}

void AgentReports::records_told(const std::string& node, const std::set<std::string>& listed) {
  const TimePoint now = env_.clock.now();
  const NodeCopy& copy = copies_[node];
  const bool lists_pods = listed.contains(std::string(model::kPodSource));
  if (lists_pods && !names_some_.contains(node)) stand_ins_.agent_owns(node, now);
  if (copy.no_room > 0) short_of_room_.insert(node);
  coverage_.told(node, copy, listed, std::max(Leases::lease_of(leases_.heartbeat()), Leases::kTolerance), now);
  if (!coverage_.is_lapsed(node)) clear_unwatched(node, now);
}

void AgentReports::clear_unwatched(const std::string& node, TimePoint now) {
  const auto* known = env_.catalog.latest_status(node);
  if (known == nullptr || known->silent || known->in_doubt) return;
  model::NodeStatus status = *known;
  status.unwatched = false;
  status.held.clear();
  env_.catalog.set_status(node, status, now);
}

bool AgentReports::has_leftovers(const std::string& node, const std::set<std::string>& sources) {
  if (sources.empty()) return false;
  const std::string own = node + "/";
  const auto& endpoints = env_.catalog.records().endpoints;
  const bool pods = sources.contains(std::string(model::kPodSource)) && !names_some_.contains(node);
  for (auto at = endpoints.lower_bound(own); at != endpoints.end() && at->first.starts_with(own); ++at) {
    if (env_.catalog.latest_endpoint(at->first) == nullptr) continue;  // a freeze holds its withdrawal
    const std::string& source = at->second.source;
    const bool is_told = sources.contains(source) || (pods && source == model::kSliceSource);
    if (is_told && !copy(node).has(at->first.substr(own.size()))) return true;
  }
  return false;
}

void AgentReports::ask_for_full(const std::string& node) {
  copies_[node].whole = false;
  if (const auto session = sessions_.holder(node)) session->ask_for_full();
}

void AgentReports::ask_for_missing() {
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

void AgentReports::offer_room() {
  std::size_t room = short_of_room_.empty() ? 0 : env_.catalog.room();
  for (std::size_t asked = 0; room > 0 && asked < kAskedPerSweep && !short_of_room_.empty(); ++asked) {
    const std::string node = short_of_room_.extract(short_of_room_.begin()).value();
    const auto copy = copies_.find(node);
    if (copy == copies_.end()) continue;
    room -= std::min(room, std::exchange(copy->second.no_room, 0));
    ask_for_full(node);
  }
}

}  // namespace meshdns::federation
