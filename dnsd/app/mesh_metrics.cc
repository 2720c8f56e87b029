#include "dnsd/app/mesh_metrics.h"

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "common/log/log.h"
#include "common/metrics/samples.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::dnsd::app {
namespace {

using metrics::count;
using metrics::gauge;
using Samples = std::vector<metrics::Sample>;

constexpr std::array kHostStateNames = {"serving", "last_resort", "empty"};  // in the order of answers::HostState

void add_host_states(Samples& out, const publish::Publisher& publisher) {
  for (std::size_t i = 0; i < kHostStateNames.size(); ++i) {
    gauge(out, "meshdns_answers_host_states", "hosts by what they can be answered with",
          {{"state", kHostStateNames[i]}}, publisher.host_states()[i]);
  }
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

void add_catalog(Samples& out, const MeshState& mesh) {
  const model::Records& records = mesh.catalog.records();
  gauge(out, "meshdns_catalog_revision_number", "changes since the start", {},
        static_cast<double>(mesh.catalog.revision()));
  gauge(out, "meshdns_catalog_nodes", "nodes known", {}, static_cast<double>(records.nodes.size()));
  gauge(out, "meshdns_catalog_records", "records of all kinds", {}, static_cast<double>(mesh.catalog.size()));
  add_refused(out, mesh.catalog);
  add_standings(out, mesh.counts.standings());
  gauge(out, "meshdns_catalog_unread_nodes", "nodes whose agent does not read all that it should", {},
        mesh.counts.unread());
  gauge(out, "meshdns_catalog_unwatched_endpoints", "endpoints that no agent checks though their node's is heard", {},
        mesh.counts.unwatched());
}

void add_kept_answers(Samples& out, const snapshot_file::WarmStart& warm_start) {
  for (const auto outcome : {snapshot_file::KeptAnswers::Outcome::Missing, snapshot_file::KeptAnswers::Outcome::Damaged,
                             snapshot_file::KeptAnswers::Outcome::Other, snapshot_file::KeptAnswers::Outcome::Taken}) {
    gauge(out, "meshdns_dnsd_compiled_answers", "1 for what became of the answers that an earlier run had compiled",
          {{"outcome", std::string(snapshot_file::outcome_name(outcome))}}, warm_start.outcome() == outcome ? 1 : 0);
  }
}

void add_answers(Samples& out, publish::Publisher& publisher) {
  gauge(out, "meshdns_answers_hosts", "names that are answered from endpoints", {},
        static_cast<double>(publisher.hosts()));
  gauge(out, "meshdns_answers_hosts_over_ports", "hosts whose endpoints name more ports than a host may have", {},
        static_cast<double>(publisher.hosts_over_ports()));
  gauge(out, "meshdns_answers_hostless_services",
        "services whose automatic host is too long, or belongs to an older service", {},
        static_cast<double>(publisher.planner().services_without_host()));
  gauge(out, "meshdns_answers_contested_prefixes", "prefixes of clients that several clusters claim", {},
        static_cast<double>(publisher.contested_prefixes()));
  gauge(out, "meshdns_answers_spread_hosts", "hosts of which some clients' load is spread over tiers", {},
        publisher.spread_hosts());
  gauge(out, "meshdns_answers_panic_hosts", "hosts of which failing endpoints are answered too", {},
        publisher.panic_hosts());
  count(out, "meshdns_answers_publications_total", "answer tables published", {}, publisher.publications());
  gauge(out, "meshdns_answers_last_compile_seconds", "what the last answer table cost", {},
        std::chrono::duration<double>(publisher.last_cost()).count());
  add_waiting(out, publisher);
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

void add_overrides(Samples& out, const catalog::Catalog& catalog) {
  std::map<std::string_view, double> actions;
  for (const auto& [name, word] : catalog.records().overrides) actions[action_name(word.action)] += 1;
  for (const char* action : {"Up", "Down", "Drain", "Freeze"}) {
    gauge(out, "meshdns_catalog_overrides", "operators' overrides, by action", {{"action", action}}, actions[action]);
  }
  gauge(out, "meshdns_catalog_frozen", "1 while an operator has frozen the mesh", {}, actions["Freeze"] > 0 ? 1 : 0);
  gauge(out, "meshdns_catalog_held_changes", "changes that are held back because the mesh is frozen", {},
        static_cast<double>(catalog.held()));
}

}  // namespace

void add_mesh(Samples& out, const MeshState& mesh, const snapshot_file::WarmStart& warm_start) {
  add_host_states(out, mesh.publisher);
  add_catalog(out, mesh);
  add_kept_answers(out, warm_start);
  add_answers(out, mesh.publisher);
  add_overrides(out, mesh.catalog);
  add_measured(out, mesh.catalog.records());
  count(out, "meshdns_log_dropped_lines_total", "log lines that standard error did not take", {}, log::dropped_lines());
}

void count_clamped(std::vector<metrics::Sample>& out, const std::string& from, std::uint64_t values) {
  count(out, "meshdns_federation_clamped_values_total",
        "values beyond what a peer can mean, which count as another value or as none", {{"from", from}}, values);
}

}  // namespace meshdns::dnsd::app
