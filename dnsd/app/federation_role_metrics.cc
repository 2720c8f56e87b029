#include <string>
#include <vector>

#include "common/metrics/samples.h"
#include "common/rpc/acceptor.h"
#include "common/rpc/stream_limits.h"
#include "dnsd/app/federation_role.h"
#include "dnsd/app/mesh_metrics.h"

// The metrics of FederationRole.

namespace meshdns::dnsd::app {
namespace {

using metrics::count;
using metrics::gauge;
using Samples = std::vector<metrics::Sample>;

constexpr const char* kNotAllowed = "meshdns_federation_not_allowed_total";
constexpr const char* kNotAllowedHelp = "callers whose certificate does not permit what they asked for";

void add_agents(Samples& out, const federation::Agents& agents) {
  const federation::AgentCounters& counters = agents.counters();
  gauge(out, "meshdns_federation_connected_agents", "agents with a session", {},
        static_cast<double>(agents.connected()));
  gauge(out, "meshdns_federation_silent_nodes", "agents whose lease ran out", {},
        static_cast<double>(agents.leases().silent()));
  gauge(out, "meshdns_federation_lapsed_nodes",
        "nodes that are heard, with endpoints that nobody has checked for a lease", {},
        static_cast<double>(agents.coverage().lapsed()));
  count(out, "meshdns_federation_sessions_total", "streams opened by agents", {}, counters.sessions);
  count(out, "meshdns_federation_deferred_sessions_total", "sessions that were told to come back later", {},
        counters.deferred);
  gauge(out, "meshdns_federation_busy", "1 while agents are told to send fewer heartbeats", {},
        agents.load().busy() ? 1 : 0);
  gauge(out, "meshdns_federation_lateness_seconds", "how late the control thread's timers come", {},
        std::chrono::duration<double>(agents.load().lateness()).count());
  gauge(out, "meshdns_federation_heartbeat_seconds", "how often agents are told to be heard", {},
        std::chrono::duration<double>(agents.leases().heartbeat()).count());
  count(out, "meshdns_federation_messages_total", "messages from agents", {}, counters.messages);
  count(out, "meshdns_federation_refused_records_total", "records that were refused", {}, counters.refused_records);
  count(out, "meshdns_federation_protocol_errors_total", "streams ended because of what they said", {},
        counters.protocol_errors);
  gauge(out, "meshdns_federation_measured_targets", "what agents are asked to measure, for each agent", {},
        static_cast<double>(agents.measuring().targets()));
  count(out, "meshdns_federation_measurements_total", "results of it", {}, agents.measuring().results());
  gauge(out, "meshdns_federation_arriving_bytes", "bytes of agents' records whose last part is not here yet", {},
        static_cast<double>(agents.arriving_bytes()));
  count(out, "meshdns_federation_cut_agents_total", "agents that read nothing", {}, counters.cut);
  count(out, kNotAllowed, kNotAllowedHelp, {{"from", "agent"}}, counters.not_allowed);
  count_clamped(out, "agent", counters.clamped);
  gauge(out, "meshdns_federation_bindings", "pods of which a watcher says which services list them", {},
        static_cast<double>(agents.bindings().size()));
  count(out, "meshdns_federation_left_out_memberships_total", "memberships that no record could hold", {},
        agents.bindings().left_out());
}

void add_brakes(Samples& out, const federation::Agents& agents) {
  const auto closed = agents.brakes().closed();
  const auto& closings = agents.counters().brakes_closed;
  for (const std::string name : {federation::Brakes::kZone, federation::Brakes::kOverall, federation::Brakes::kSweep}) {
    double brakes = 0;
    double held = 0;
    for (const auto& brake : closed) {
      if (brake.name != name) continue;
      brakes += 1;
      held += static_cast<double>(brake.held);
    }
    gauge(out, "meshdns_federation_brakes_closed", "brakes that hold something back", {{"brake", name}}, brakes);
    gauge(out, "meshdns_federation_brake_held_nodes", "nodes whose demotion or deletion is held back",
          {{"brake", name}}, held);
    const auto count_of = closings.find(name);
    count(out, "meshdns_federation_brake_closings_total", "times that a brake began to hold something back",
          {{"brake", name}}, count_of == closings.end() ? 0 : count_of->second);
  }
}

void add_connections(Samples& out, const rpc::Acceptor::Counts& counts) {
  gauge(out, "meshdns_federation_open_connections", "connections at the federation's port", {},
        static_cast<double>(counts.open));
  gauge(out, "meshdns_federation_allowed_connections", "how many there may be", {}, static_cast<double>(counts.most));
  gauge(out, "meshdns_federation_connections_wait",
        "1 while connections wait because there are as many as there may be", {}, counts.full ? 1 : 0);
  gauge(out, "meshdns_federation_accept_failing", "1 while the system gives no more connections", {},
        counts.failing ? 1 : 0);
  count(out, "meshdns_federation_accepted_connections_total", "connections accepted", {}, counts.accepted);
  const char* ended = "meshdns_federation_rejected_connections_total";
  count(out, ended, "connections ended by the federation's bounds", {{"reason", "address_limit"}}, counts.refused);
  count(out, ended, "connections ended by the federation's bounds", {{"reason", "evicted"}}, counts.evicted);
  count(out, "meshdns_federation_accept_failures_total", "times that the system gave no connection", {},
        counts.failures);
}

void add_streams(Samples& out, const rpc::StreamLimits::Counts& counts) {
  gauge(out, "meshdns_federation_open_streams", "streams at the federation's port", {},
        static_cast<double>(counts.open));
  gauge(out, "meshdns_federation_silent_streams", "streams that have not said anything yet", {},
        static_cast<double>(counts.silent));
  const char* refused = "meshdns_federation_refused_streams_total";
  const char* help = "streams refused by the federation's bounds";
  count(out, refused, help, {{"reason", "open"}}, counts.refused);
  count(out, refused, help, {{"reason", "silent"}}, counts.refused_silent);
  count(out, refused, help, {{"reason", "connection"}}, counts.refused_connection);
}

void add_watchers(Samples& out, const federation::Watchers& watchers) {
  const federation::WatchCounters& counters = watchers.counters();
  gauge(out, "meshdns_federation_subscribers", "replicas that follow this federation", {},
        static_cast<double>(watchers.subscribers()));
  const char* updates = "meshdns_federation_updates_total";
  count(out, updates, "updates sent to subscribers", {{"kind", "delta"}}, counters.deltas);
  count(out, updates, "updates sent to subscribers", {{"kind", "snapshot"}}, counters.snapshots);
  count(out, updates, "updates sent to subscribers", {{"kind", "buckets"}}, counters.bucket_updates);
  count(out, "meshdns_federation_sent_bytes_total", "bytes sent to subscribers", {}, counters.sent_bytes);
  count(out, "meshdns_federation_nacks_total", "records that subscribers refused", {}, counters.nacks);
  count(out, "meshdns_federation_cut_subscribers_total", "subscribers that acknowledged or read nothing", {},
        counters.cut);
  gauge(out, "meshdns_federation_unread_bytes", "bytes of updates that subscribers have not read yet, about", {},
        static_cast<double>(watchers.unread_bytes()));
  count(out, "meshdns_federation_unread_waits_total", "updates that waited because too much was unread", {},
        counters.waits);
  count(out, kNotAllowed, kNotAllowedHelp, {{"from", "subscriber"}}, counters.not_allowed);
  count_clamped(out, "subscriber", counters.clamped);
}

void add_store(Samples& out, const persistence::Persistence& store) {
  gauge(out, "meshdns_store_writable", "0 while the store cannot be written", {}, store.trouble().empty() ? 1 : 0);
  gauge(out, "meshdns_store_lacked", "1 if the store had lost, at the start, some of what had been written", {},
        store.lacked().empty() ? 0 : 1);
}

void add_reviews(Samples& out, const enrolment::TokenReviews& reviews) {
  const enrolment::TokenReviews::Counts& counts = reviews.counts();
  const auto add = [&out](const char* outcome, std::uint64_t value) {
    count(out, "meshdns_federation_token_reviews_total", "service account tokens that pods have shown",
          {{"outcome", outcome}}, value);
  };
  add("accepted", counts.accepted);
  add("refused", counts.refused);
  add("failed", counts.failed);
  add("turned_away", counts.turned_away);
  gauge(out, "meshdns_federation_token_reviews_waiting", "service account tokens that are being looked at", {},
        static_cast<double>(reviews.waiting()));
  gauge(out, "meshdns_federation_token_reviews_failing", "1 while the API server does not review tokens", {},
        reviews.trouble().empty() ? 0 : 1);
}

void add_recovery(Samples& out, const federation::Recovery& recovery) {
  gauge(out, "meshdns_federation_recovering", "1 while what was lost with the store is learnt anew", {},
        recovery.recovering() ? 1 : 0);
  gauge(out, "meshdns_federation_provisional_nodes", "nodes known from before the start, their agents not yet heard",
        {}, static_cast<double>(recovery.provisional()));
}

}  // namespace

void FederationRole::collect(Samples& out) const {
  add_agents(out, *agents_);
  add_brakes(out, *agents_);
  add_connections(out, acceptor_->counts());
  add_streams(out, streams_->counts());
  add_store(out, persistence_);
  add_recovery(out, *recovery_);
  add_watchers(out, *watchers_);
  if (kubernetes_) kubernetes_->collect(out);
  if (pods_) add_reviews(out, pods_->reviews);
  if (kubernetes_objects_) kubernetes_objects_->collect(out);
}

}  // namespace meshdns::dnsd::app
