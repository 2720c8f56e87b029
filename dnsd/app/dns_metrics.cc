#include "dnsd/app/dns_metrics.h"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "common/log/log.h"
#include "common/metrics/samples.h"
#include "common/rpc/acceptor.h"
#include "common/rpc/tls_watch.h"
#include "dnsd/app/bounds_metrics.h"
#include "dnsd/app/capture_session.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::app {
namespace {

using metrics::count;
using metrics::gauge;
using metrics::Sample;
using Samples = std::vector<Sample>;

constexpr std::array kDropNames = {"too_short", "response", "rate_limited"};
constexpr std::array kTypeNames = {"A", "AAAA", "SRV", "TXT", "SOA", "NS", "PTR", "ANY", "SVCB", "HTTPS", "other"};
static_assert(kTypeNames.size() == query::kCountedTypes);
constexpr std::array kSourceNames = {"listener", "client_subnet", "forwarder", "prefix", "server", "nowhere"};

constexpr std::array kHostStateNames = {"serving", "last_resort", "empty"};  // in the order of answers::HostState
constexpr std::array kCookieNames = {"client_only", "wrong", "valid"};

void add_queries(Samples& out, const std::string& transport, const query::Totals& totals) {
  count(out, "meshdns_dns_received_packets_total", "DNS messages received", {{"transport", transport}},
        totals.received);
  for (std::size_t i = 0; i < kDropNames.size(); ++i) {
    count(out, "meshdns_dns_dropped_packets_total", "DNS messages left without an answer",
          {{"transport", transport}, {"reason", kDropNames[i]}}, totals.dropped[i]);
  }
  for (std::size_t i = 0; i < totals.by_rcode.size(); ++i) {
    if (totals.by_rcode[i] == 0 && i != 0) continue;
    count(out, "meshdns_dns_answers_total", "answers by RCODE",
          {{"transport", transport}, {"rcode", rcode_text(static_cast<std::uint8_t>(i))}}, totals.by_rcode[i]);
  }
  for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
    count(out, "meshdns_dns_questions_total", "questions by type", {{"transport", transport}, {"type", kTypeNames[i]}},
          totals.by_type[i]);
  }
  for (std::size_t i = 0; i < kSourceNames.size(); ++i) {
    count(out, "meshdns_dns_located_clients_total", "how the client's place was found; nowhere = it was not",
          {{"transport", transport}, {"source", kSourceNames[i]}}, totals.by_source[i]);
  }
  for (std::size_t i = 0; i < kCookieNames.size(); ++i) {
    count(out, "meshdns_dns_cookies_total", "cookies of requests",
          {{"transport", transport}, {"state", kCookieNames[i]}}, totals.by_cookie[i]);
  }
  count(out, "meshdns_dns_denied_queries_total", "queries from outside dns.allow", {{"transport", transport}},
        totals.denied);
  count(out, "meshdns_dns_refused_explanations_total", "queries for _explain from outside dns.explain_allow",
        {{"transport", transport}}, totals.unexplained);
  count(out, "meshdns_dns_truncated_answers_total", "answers with TC", {{"transport", transport}}, totals.truncated);
  count(out, "meshdns_dns_last_resort_answers_total", "answers in which nothing serves", {{"transport", transport}},
        totals.last_resort);
  count(out, "meshdns_dns_farther_tier_answers_total", "answers from another tier than 0", {{"transport", transport}},
        totals.beyond_tier_0);
}

void add_latency(Samples& out, const server::LatencyTotals& totals) {
  Sample sample{Sample::Kind::Histogram,
                "meshdns_dns_answer_seconds",
                "from when UDP queries were read until their answers were given to the kernel",
                {},
                static_cast<double>(totals.nanoseconds) / 1e9};
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < server::kLatencyBuckets; ++i) {
    const bool last = i == server::kLatencyBounds.size();
    const double bound = last ? std::numeric_limits<double>::infinity()
                              : std::chrono::duration<double>(server::kLatencyBounds[i]).count();
    sample.buckets.push_back({bound, sum += totals.buckets[i]});
  }
  out.push_back(std::move(sample));
}

void add_host_states(Samples& out, const publish::Publisher& publisher) {
  for (std::size_t i = 0; i < kHostStateNames.size(); ++i) {
    gauge(out, "meshdns_answers_host_states", "hosts by what they can be answered with",
          {{"state", kHostStateNames[i]}}, publisher.host_states()[i]);
  }
}

void add_services(Samples& out, const ServiceCounts& counts) {
  for (const auto& [service, standings] : counts.services()) {
    for (std::size_t i = 0; i < standings.size(); ++i) {
      gauge(out, "meshdns_service_endpoints", "endpoints of a service by how they stand",
            {{"namespace", service.namespace_},
             {"service", service.name},
             {"state", std::string(standing_name(static_cast<topology::Standing>(i)))}},
            standings[i]);
    }
  }
}

void add_server(Samples& out, const server::ServerTotals& totals) {
  add_queries(out, "udp", totals.udp);
  add_queries(out, "tcp", totals.tcp);
  add_latency(out, totals.udp_latency);
  count(out, "meshdns_dns_send_failures_total", "UDP answers that the kernel did not take", {}, totals.udp_send_failed);
  count(out, "meshdns_dns_udp_segmented_total", "UDP answers that left in one message with others of the same peer", {},
        totals.udp_segmented);
  count(out, "meshdns_dns_rate_limited_answers_total", "UDP answers truncated or dropped by dns.rate_limit", {},
        totals.udp.rate_limited);
  gauge(out, "meshdns_dns_open_connections", "TCP connections", {}, static_cast<double>(totals.tcp_open));
  count(out, "meshdns_dns_accepted_connections_total", "TCP connections", {}, totals.tcp_accepted);
  const std::string ended = "meshdns_dns_ended_connections_total";
  count(out, ended, "TCP connections by what ended them", {{"reason", "closed"}}, totals.tcp_closed);
  count(out, ended, "TCP connections by what ended them", {{"reason", "timeout"}}, totals.tcp_timed_out);
  count(out, ended, "TCP connections by what ended them", {{"reason", "evicted"}}, totals.tcp_evicted);
  count(out, ended, "TCP connections by what ended them", {{"reason", "client_limit"}}, totals.tcp_client_limit);
  count(out, "meshdns_dns_tcp_accept_failures_total",
        "attempts to accept a connection that failed for want of descriptors", {}, totals.tcp_accept_failed);
}

void add_dnstap(Samples& out, const dnstap::Sender& sender) {
  gauge(out, "meshdns_dnstap_connected", "1 while a receiver takes dnstap messages", {}, sender.connected() ? 1 : 0);
  count(out, "meshdns_dnstap_sent_messages_total", "dnstap messages sent", {}, sender.sent());
  count(out, "meshdns_dnstap_dropped_messages_total",
        "dnstap messages without a receiver, or for which it was too slow", {}, sender.dropped());
}

void add_replica(Samples& out, const Parts& parts) {
  gauge(out, "meshdns_dnsd_snapshot_age_seconds", "since when the federation was not heard", {},
        std::chrono::duration<double>(parts.replica->silence()).count());
  gauge(out, "meshdns_dnsd_stale", "1 while answers carry EDE 3", {}, parts.publisher->stale() ? 1 : 0);
  gauge(out, "meshdns_dnsd_not_ready", "1 while answers are SERVFAIL with EDE 14", {},
        parts.publisher->not_ready() ? 1 : 0);
  gauge(out, "meshdns_dnsd_damaged_snapshots", "snapshots that were not whole at the start", {},
        static_cast<double>(parts.replica->damaged_snapshots()));
  gauge(out, "meshdns_dnsd_origin_recovering", "1 while the federation that is followed learns anew what there is", {},
        parts.replica->origin_recovers() ? 1 : 0);
  gauge(out, "meshdns_dnsd_origin_brakes_closed", "brakes that hold something back at the federation that is followed",
        {}, static_cast<double>(parts.replica->origin_brakes().size()));
  gauge(out, "meshdns_dnsd_shrink_refused", "1 while a set is refused that would take away most endpoints", {},
        parts.replica->mirror().shrink_refused().empty() ? 0 : 1);
}

void add_standings(Samples& out, const RecordCounts::Standings& standings) {
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const std::string state(standing_name(static_cast<topology::Standing>(i)));
    gauge(out, "meshdns_catalog_endpoints", "endpoints by how they stand", {{"state", state}}, standings[i]);
  }
}

void add_waiting(Samples& out, publish::Publisher& publisher) {
  const char* const waiting = "meshdns_answers_waiting_hosts";
  const char* const help = "hosts whose new answers wait for their publication";
  gauge(out, waiting, help, {{"kind", "removal"}}, static_cast<double>(publisher.waiting(topology::Urgency::Removal)));
  gauge(out, waiting, help, {{"kind", "addition"}},
        static_cast<double>(publisher.waiting(topology::Urgency::Addition)));
  gauge(out, waiting, help, {{"kind", "places"}}, static_cast<double>(publisher.outdated()));
  gauge(out, "meshdns_answers_longest_wait_seconds", "for how long the first of the waiting hosts has waited at least",
        {}, std::chrono::duration<double>(publisher.longest_wait()).count());
  gauge(out, "meshdns_answers_step_delay_seconds", "how late the most overdue step of a slow start is", {},
        std::chrono::duration<double>(publisher.step_delay()).count());
}

void add_refused(Samples& out, const catalog::Catalog& catalog) {
  gauge(out, "meshdns_catalog_full", "1 while records are refused because there are dns.max_records of them", {},
        catalog.full() ? 1 : 0);
  count(out, "meshdns_catalog_refused_records_total", "records that were refused, whichever way they came", {},
        catalog.refused_records());
}

void add_catalog(Samples& out, const Parts& parts) {
  const model::Records& records = parts.catalog->records();
  gauge(out, "meshdns_catalog_revision_number", "changes since the start", {},
        static_cast<double>(parts.catalog->revision()));
  gauge(out, "meshdns_catalog_nodes", "nodes known", {}, static_cast<double>(records.nodes.size()));
  gauge(out, "meshdns_catalog_records", "records of all kinds", {}, static_cast<double>(parts.catalog->size()));
  add_refused(out, *parts.catalog);
  add_standings(out, parts.counts->standings());
  gauge(out, "meshdns_catalog_unread_nodes", "nodes whose agent does not read all that it should", {},
        parts.counts->unread());
  gauge(out, "meshdns_catalog_unwatched_endpoints", "endpoints that no agent checks though their node's is heard", {},
        parts.counts->unwatched());
  if (parts.persistence != nullptr) {
    gauge(out, "meshdns_store_writable", "0 while the store cannot be written", {},
          parts.persistence->trouble().empty() ? 1 : 0);
  }
  if (parts.recovery != nullptr) {
    gauge(out, "meshdns_federation_recovering", "1 while what was lost with the store is learnt anew", {},
          parts.recovery->recovering() ? 1 : 0);
    gauge(out, "meshdns_federation_provisional_nodes", "nodes known from before the start, their agents not yet heard",
          {}, static_cast<double>(parts.recovery->provisional()));
  }
  if (parts.watchers != nullptr) {
    const federation::WatchCounters& counters = parts.watchers->counters();
    gauge(out, "meshdns_federation_subscribers", "replicas that follow this federation", {},
          static_cast<double>(parts.watchers->subscribers()));
    const char* updates = "meshdns_federation_updates_total";
    count(out, updates, "updates sent to subscribers", {{"kind", "delta"}}, counters.deltas);
    count(out, updates, "updates sent to subscribers", {{"kind", "snapshot"}}, counters.snapshots);
    count(out, updates, "updates sent to subscribers", {{"kind", "buckets"}}, counters.bucket_updates);
    count(out, "meshdns_federation_sent_bytes_total", "bytes sent to subscribers", {}, counters.sent_bytes);
    count(out, "meshdns_federation_nacks_total", "records that subscribers refused", {}, counters.nacks);
    count(out, "meshdns_federation_cut_subscribers_total", "subscribers that acknowledged or read nothing", {},
          counters.cut);
  }
  if (parts.replica != nullptr) add_replica(out, parts);
  for (const auto outcome : {snapshot_file::KeptAnswers::Outcome::Missing, snapshot_file::KeptAnswers::Outcome::Damaged,
                             snapshot_file::KeptAnswers::Outcome::Other, snapshot_file::KeptAnswers::Outcome::Taken}) {
    gauge(out, "meshdns_dnsd_compiled_answers", "1 for what became of the answers that an earlier run had compiled",
          {{"outcome", std::string(snapshot_file::outcome_name(outcome))}},
          parts.warm_start->outcome() == outcome ? 1 : 0);
  }
  gauge(out, "meshdns_answers_hosts", "names that are answered from endpoints", {},
        static_cast<double>(parts.publisher->hosts()));
  gauge(out, "meshdns_answers_hosts_over_ports", "hosts whose endpoints name more ports than a host may have", {},
        static_cast<double>(parts.publisher->hosts_over_ports()));
  gauge(out, "meshdns_answers_hostless_services", "services whose automatic host belongs to an older service", {},
        static_cast<double>(parts.publisher->planner().services_without_host()));
  gauge(out, "meshdns_answers_contested_prefixes", "prefixes of clients that several clusters claim", {},
        static_cast<double>(parts.publisher->contested_prefixes()));
  gauge(out, "meshdns_answers_spread_hosts", "hosts of which some clients' load is spread over tiers", {},
        parts.publisher->spread_hosts());
  gauge(out, "meshdns_answers_panic_hosts", "hosts of which failing endpoints are answered too", {},
        parts.publisher->panic_hosts());
  count(out, "meshdns_answers_publications_total", "answer tables published", {}, parts.publisher->publications());
  gauge(out, "meshdns_answers_last_compile_seconds", "what the last answer table cost", {},
        std::chrono::duration<double>(parts.publisher->last_cost()).count());
  add_waiting(out, *parts.publisher);
}

void add_measured(Samples& out, const model::Records& records) {
  for (const auto& [from, status] : records.cluster_statuses) {
    for (const auto& [to, far] : status.distances) {
      gauge(out, "meshdns_catalog_distance_seconds", "round-trip time between clusters, as agents measure it",
            {{"from", from}, {"to", to}}, std::chrono::duration<double>(far).count());
    }
    gauge(out, "meshdns_catalog_gateways_down", "gateways of other clusters that no agent can reach", {{"from", from}},
          static_cast<double>(status.gateways_down.size()));
  }
}

void add_overrides(Samples& out, const Parts& parts) {
  std::map<std::string_view, double> actions;
  for (const auto& [name, word] : parts.catalog->records().overrides) actions[action_name(word.action)] += 1;
  for (const char* action : {"Up", "Down", "Drain", "Freeze"}) {
    gauge(out, "meshdns_catalog_overrides", "operators' overrides, by action", {{"action", action}}, actions[action]);
  }
  gauge(out, "meshdns_catalog_frozen", "1 while an operator has frozen the mesh", {}, actions["Freeze"] > 0 ? 1 : 0);
  gauge(out, "meshdns_catalog_held_changes", "changes that are held back because the mesh is frozen", {},
        static_cast<double>(parts.catalog->held()));
  if (parts.local_overrides == nullptr) return;
  gauge(out, "meshdns_dnsd_local_overrides", "overrides that this replica alone obeys", {},
        static_cast<double>(parts.local_overrides->size()));
}

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
  gauge(out, "meshdns_federation_busy", "1 while agents are told to beat less often", {}, agents.load().busy() ? 1 : 0);
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

void add_external_names(Samples& out, const external::ExternalNames::Counts& counts) {
  const char* names = "meshdns_dnsd_external_names";
  const char* help = "hostnames of external endpoints by how they were resolved last";
  gauge(out, names, help, {{"state", "resolved"}}, static_cast<double>(counts.resolved));
  gauge(out, names, help, {{"state", "kept"}}, static_cast<double>(counts.kept));
  gauge(out, names, help, {{"state", "missing"}}, static_cast<double>(counts.missing));
  gauge(out, names, help, {{"state", "refused"}}, static_cast<double>(counts.refused));
  const char* questions = "meshdns_dnsd_external_questions_total";
  count(out, questions, "hostnames asked for", {{"outcome", "answered"}}, counts.answered);
  count(out, questions, "hostnames asked for", {{"outcome", "negative"}}, counts.negative);
  count(out, questions, "hostnames asked for", {{"outcome", "unanswered"}}, counts.unanswered);
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

}  // namespace

void register_metrics(metrics::Registry& registry, const Parts& parts) {
  registry.collect_with([&parts](Samples& out) {
    if (parts.dns != nullptr) {
      add_server(out, parts.dns->counters());
      gauge(out, "meshdns_dns_rate_limiting", "1 while answers are limited, and a minute beyond", {},
            parts.rate_limiting ? 1 : 0);
    }
    if (parts.dnstap != nullptr) add_dnstap(out, *parts.dnstap);
    if (parts.service_counts != nullptr) add_services(out, *parts.service_counts);
    if (parts.tls != nullptr) rpc::collect_samples(*parts.tls, out);
    if (parts.publisher != nullptr) {
      add_host_states(out, *parts.publisher);
      add_catalog(out, parts);
      add_overrides(out, parts);
    }
    if (parts.agents != nullptr) {
      add_agents(out, *parts.agents);
      add_brakes(out, *parts.agents);
    }
    if (parts.acceptor != nullptr) add_connections(out, parts.acceptor->counts());
    add_bounds(out, parts);
    add_measured(out, parts.catalog->records());
    if (parts.external_names != nullptr) add_external_names(out, parts.external_names->counts());
    count(out, "meshdns_log_dropped_lines_total", "log lines that standard error did not take", {},
          log::dropped_lines());
  });
}

}  // namespace meshdns::app
