#include "dnsd/ctl/views.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <vector>

#include "common/base/printable.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/convert/document.h"
#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"
#include "common/time/time_text.h"
#include "dnsd/ctl/clean.h"
#include "dnsd/ctl/kubernetes_rows.h"
#include "dnsd/ctl/kubernetes_view.h"
#include "dnsd/ctl/override_object.h"
#include "dnsd/ctl/services_text.h"

namespace meshdns::ctl {
namespace {

std::string age(const google::protobuf::Duration& duration) { return age_text(convert::from_wire(duration)); }

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

template <class Field>
std::string joined(const Field& field, const std::string& separator = ", ") {
  return join({field.begin(), field.end()}, separator);
}

/// Returns lines "name     value" with names of one width.
std::string pairs(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t width = 0;
  for (const auto& [name, value] : rows) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, value] : rows) out += name + std::string(width - name.size() + 2, ' ') + value + "\n";
  return out;
}

std::string state_counts(const v1::StatusReply& reply) {
  std::vector<std::string> parts;
  for (const char* state : {"serving", "draining", "silent", "failing", "out"}) {
    const auto found = reply.endpoints().find(state);
    if (found != reply.endpoints().end()) parts.push_back(std::to_string(found->second) + " " + state);
  }
  return parts.empty() ? "none" : join(parts, ", ");
}

/// Returns distances in order: "eu-2:12ms,us-1:80ms".
std::string distances_text(const google::protobuf::Map<std::string, google::protobuf::Duration>& distances) {
  std::map<std::string, std::string> in_order;
  for (const auto& [to, far] : distances) in_order[to] = duration_text(convert::from_wire(far));
  std::vector<std::string> texts;
  for (const auto& [to, far] : in_order) texts.push_back(to + ":" + far);
  return or_dash(join(texts, ","));
}

/// Returns the time until an override ends: "52m".
std::string left_text(const std::string& expires, std::int64_t unix_seconds) {
  const auto then = parse_time(expires);
  return then ? age_text(std::chrono::seconds(std::max<std::int64_t>(0, *then - unix_seconds))) : "never";
}

/// Returns "since 2026-11-27T18:00:00Z by alice@host: incident 42, 17 changes held, until 2026-11-27T19:00:00Z".
std::string freeze_text(const v1::FreezeInfo& freeze) {
  std::string out = "since " + time_text(freeze.since()) + (freeze.author().empty() ? "" : " by " + freeze.author()) +
                    ": " + freeze.reason();
  if (freeze.has_held()) {
    out += ", " + counted(freeze.held(), "change") + " held";
  }
  return out + (freeze.expires() == 0 ? "" : ", until " + time_text(freeze.expires()));
}

/// Returns the use of the connections: "812 of 48488 open   FULL: others wait   3 refused for their address".
std::string connections_text(const v1::ConnectionsInfo& info) {
  std::string out = std::to_string(info.open()) + " of " + std::to_string(info.most()) + " open";
  if (info.full()) out += "   FULL: others wait";
  if (info.failing()) out += "   CANNOT ACCEPT: the system gives no more";
  if (info.refused() > 0) out += "   " + std::to_string(info.refused()) + " refused for their address";
  if (info.evicted() > 0) out += "   " + std::to_string(info.evicted()) + " silent ones ended";
  return out;
}

template <class Map>
std::string labels_text(const Map& labels, const std::string& separator) {
  const std::map<std::string, std::string> sorted(labels.begin(), labels.end());
  std::vector<std::string> texts;
  for (const auto& [name, value] : sorted) texts.push_back(name + "=" + value);
  return or_dash(join(texts, separator));
}

Table nodes_table(const v1::ListReply& reply, bool wide) {
  std::vector<std::string> titles = {"NODE", "WHERE", "ADDRESSES", "ENDPOINTS", "STATE", "NOT HEARD FOR", "PROBLEM"};
  if (wide) titles.insert(titles.end(), {"NETWORK", "PREFIXES"});
  Table table(titles);
  table.align_right(3);
  for (const v1::NodeInfo& node : reply.nodes()) {
    std::vector<std::string> cells = {node.key(),
                                      convert::to_locality(node.locality()).text(),
                                      or_dash(joined(node.addresses(), ",")),
                                      std::to_string(node.endpoints()),
                                      node.state(),
                                      node.has_in_state() ? age(node.in_state()) : "",
                                      node.problem()};
    if (wide) cells.insert(cells.end(), {or_dash(node.locality().network()), or_dash(joined(node.prefixes(), ","))});
    table.add(std::move(cells));
  }
  return table;
}

Table endpoints_table(const v1::ListReply& reply, bool wide) {
  std::vector<std::string> titles = {"SERVICE", "ENDPOINT", "WHERE", "NODE", "STATE", "FOR", "WHY"};
  if (wide) titles.insert(titles.end(), {"WEIGHT", "PORTS", "LABELS", "KEY"});
  Table table(titles);
  for (const v1::EndpointInfo& endpoint : reply.endpoints()) {
    std::vector<std::string> cells = {services_text(endpoint), endpoint.address(), endpoint.where(),
                                      endpoint.node(),         endpoint.state(),   age(endpoint.in_state()),
                                      endpoint.why()};
    if (wide) {
      cells.insert(cells.end(), {std::to_string(endpoint.weight()), ports_text(endpoint, ","),
                                 labels_text(endpoint.labels(), ","), endpoint.key()});
    }
    table.add(std::move(cells));
  }
  return table;
}

Table destinations_table(const v1::ListReply& reply) {
  Table table({"NAME", "HOSTS", "PORTS", "REVISION", "PROGRAMMED"});
  table.align_right(3);
  for (const v1::Object& object : reply.objects()) {
    std::vector<std::string> ports;
    for (const auto& port : object.virtual_destination().ports()) {
      ports.push_back(port.name() + ":" + std::to_string(port.number()));
    }
    std::string programmed = "-";
    for (const v1::Condition& condition : object.status().conditions()) {
      if (condition.type() != "Programmed") continue;
      programmed = condition.status() + (condition.status() == "True" ? "" : ": " + condition.message());
    }
    table.add({object.metadata().namespace_() + "/" + object.metadata().name(),
               joined(object.virtual_destination().hosts(), ","), or_dash(join(ports, ",")),
               std::to_string(object.metadata().revision()), programmed});
  }
  return table;
}

Table clusters_table(const v1::ListReply& reply) {
  Table table({"NAME", "WHERE", "DISTANCES", "MEASURED", "GATEWAYS DOWN", "CLIENT PREFIXES", "REVISION"});
  table.align_right(6);
  for (const v1::Object& object : reply.objects()) {
    table.add({object.metadata().name(), convert::to_locality(object.cluster().locality()).text(),
               distances_text(object.cluster().distances()), distances_text(object.status().distances()),
               or_dash(joined(object.status().gateways_down(), ",")),
               or_dash(joined(object.cluster().client_prefixes(), ",")), std::to_string(object.metadata().revision())});
  }
  // clusters that only their nodes tell of have no object, and so no revision
  for (const v1::ClusterInfo& cluster : reply.undeclared()) {
    table.add({cluster.name(), convert::to_locality(cluster.locality()).text(), "-",
               distances_text(cluster.distances()), or_dash(joined(cluster.gateways_down(), ",")), "-", "-"});
  }
  return table;
}

Table overrides_table(const v1::ListReply& reply, std::int64_t unix_seconds) {
  Table table({"NAME", "ACTION", "TARGET", "AUTHOR", "EXPIRES IN", "CREATED", "REASON"});
  for (const v1::Object& object : reply.objects()) {
    const v1::OverrideSpec& spec = object.override();
    const std::string local = object.metadata().manager() == "local" ? " (local)" : "";
    table.add({object.metadata().name() + local, spec.action(), target_text_of(object), or_dash(spec.author()),
               left_text(spec.expires(), unix_seconds),
               age_text(std::chrono::seconds(unix_seconds - object.metadata().created())) + " ago", spec.reason()});
  }
  return table;
}

/// Returns the state of a replica: "us-1/host   ipv4:10.0.0.9:4711   connected 3m   12 revisions behind for 340ms".
std::string replica_text(const v1::ReplicaInfo& replica) {
  std::string out = replica.name() + (replica.name() == replica.peer() ? "" : "   " + replica.peer()) +
                    (replica.identity().empty() ? "" : "   " + replica.identity()) + "   connected " +
                    age(replica.connected());
  if (replica.behind() == 0) return out + "   up to date";
  return out + "   " + counted(replica.behind(), "revision") + " behind" +
         (replica.lag().seconds() == 0 && replica.lag().nanos() == 0 ? "" : " for " + age(replica.lag()));
}

/// Returns "812 queries   41 publications, the last took 3ms".
std::string answers_text(const v1::StatusReply& reply) {
  const auto took = std::chrono::floor<std::chrono::microseconds>(convert::from_wire(reply.last_compile()));
  return std::to_string(reply.queries()) + (reply.queries() == 1 ? " query   " : " queries   ") +
         counted(reply.publications(), "publication") + ", the last took " + duration_text(took);
}

void add_federation(const v1::StatusReply& reply, std::vector<std::pair<std::string, std::string>>& rows) {
  if (reply.federation().empty()) return;
  rows.emplace_back("federation", reply.federation() + "   " + counted(reply.agents_connected(), "agent") +
                                      " connected, " + std::to_string(reply.nodes_silent()) + " of " +
                                      std::to_string(reply.nodes()) + " nodes silent");
  if (reply.anybody_may_report()) {
    rows.emplace_back("insecure", "no TLS: whoever reaches " + reply.federation() + " may register anything");
  }
}

void add_replicas(const v1::StatusReply& reply, std::vector<std::pair<std::string, std::string>>& rows) {
  for (const v1::ReplicaInfo& replica : reply.replicas()) rows.emplace_back("replica", replica_text(replica));
  const auto shown = static_cast<std::uint32_t>(reply.replicas_size());
  if (shown == 0 || reply.subscribers() <= shown) return;
  rows.emplace_back("replica", "and " + std::to_string(reply.subscribers() - shown) + " more");
}

void add_certificates(const v1::StatusReply& reply, std::vector<std::pair<std::string, std::string>>& rows) {
  for (const v1::CertificateInfo& info : reply.certificates()) {
    const std::string until = info.not_after() == 0 ? "" : "   until " + time_text(info.not_after());
    rows.emplace_back("certificate", info.file() + until + (info.problem().empty() ? "" : "   " + info.problem()));
  }
}

/// Adds rows for a failed reload, settings that need a restart, and dropped log lines.
void add_process_rows(const v1::StatusReply& reply, std::vector<std::pair<std::string, std::string>>& rows) {
  if (!reply.reload_problem().empty()) rows.emplace_back("reload", "FAILED: " + reply.reload_problem());
  if (reply.restart_needed_size() > 0) rows.emplace_back("restart", "needed for " + joined(reply.restart_needed()));
  if (reply.log_lines_dropped() > 0) {
    rows.emplace_back("log", std::to_string(reply.log_lines_dropped()) + " lines dropped: nobody took them");
  }
}

}  // namespace

std::string status_view(const v1::StatusReply& told) {
  const v1::StatusReply reply = cleaned(told);
  std::vector<std::pair<std::string, std::string>> rows = {
      {"meshdnsd", reply.version() + "   " + reply.instance() + "   up " + age(reply.uptime()) +
                       (reply.ready() ? "   ready" : "   not ready")},
      {"roles", joined(reply.roles())},
      {"zones", joined(reply.zones()) + "   serial " + std::to_string(reply.serial())}};
  for (const v1::Listener& listener : reply.dns()) {
    rows.emplace_back("dns", listener.address() + "   " + convert::to_locality(listener.locality()).text());
  }
  add_federation(reply, rows);
  add_lease_and_objects(reply, rows);
  add_replicas(reply, rows);
  add_certificates(reply, rows);
  add_kubernetes(reply, rows);
  if (reply.has_connections()) rows.emplace_back("connections", connections_text(reply.connections()));
  if (reply.has_busy()) {
    rows.emplace_back("busy", "the control thread is " + age(reply.busy().late()) + " late: agents beat each " +
                                  age(reply.busy().heartbeat()));
  }
  if (!reply.follows().empty()) {
    rows.emplace_back("follows", reply.follows() + (reply.follows_connected() ? "   connected" : "   not reached") +
                                     "   heard " + age(reply.unheard_for()) + " ago" +
                                     (reply.stale() ? "   STALE: answers carry EDE 3" : ""));
  }
  if (reply.recovering()) {
    const std::string who = reply.follows().empty() ? "the store was lost" : "the federation has lost its store";
    rows.emplace_back("recovering", who + ": nothing goes before the agents have told what there is");
  }
  for (const v1::BrakeInfo& brake : reply.brakes()) {
    rows.emplace_back("brake",
                      brake.name() + "   " + brake.reason() + "   holds " + counted(brake.held_back(), "node"));
  }
  if (!reply.shrink_refused().empty()) {
    rows.emplace_back("refused", "a set: " + reply.shrink_refused() + "; meshdnsctl approve-shrink takes it");
  }
  if (reply.has_freeze()) rows.emplace_back("frozen", freeze_text(reply.freeze()));
  if (reply.overrides() > 0) {
    const std::string local =
        reply.local_overrides() > 0 ? ", " + std::to_string(reply.local_overrides()) + " of them local" : "";
    rows.emplace_back("overrides", std::to_string(reply.overrides()) + local);
  }
  rows.emplace_back("catalog", "revision " + std::to_string(reply.revision()) + ", " + age(reply.revision_age()) +
                                   " old   " + counted(reply.hosts(), "host"));
  rows.emplace_back("endpoints", state_counts(reply));
  rows.emplace_back("answers", answers_text(reply));
  add_process_rows(reply, rows);
  if (!reply.store_trouble().empty()) rows.emplace_back("store", "NOT WRITABLE: " + reply.store_trouble());
  if (!reply.store_lacked().empty()) rows.emplace_back("store", "HAD LOST at the start: " + reply.store_lacked());
  for (const std::string& trouble : reply.identity_troubles()) rows.emplace_back("identity", "TROUBLE: " + trouble);
  for (const v1::ObjectProblem& problem : reply.problems()) {
    rows.emplace_back("problem", problem.object() + ": " + problem.message());
  }
  if (reply.more_problems() > 0) {
    rows.emplace_back("problem", "and " + std::to_string(reply.more_problems()) + " more; meshdnsctl lint has all");
  }
  return pairs(rows);
}

std::string status_problem(const v1::StatusReply& told) {
  const v1::StatusReply reply = cleaned(told);
  if (reply.lease().state() == "standby") return "standby: another instance leads";
  if (!reply.ready()) return "not ready: nothing is answered";
  if (reply.recovering()) return "recovering: a store was lost";
  if (reply.stale()) return "stale: the federation is not heard";
  if (!reply.store_trouble().empty()) return "the store is not writable: " + reply.store_trouble();
  if (reply.identity_troubles_size() > 0) return "pods may get no certificates: " + reply.identity_troubles(0);
  if (!reply.object_store().problem().empty()) return "objects are not followed: " + reply.object_store().problem();
  if (!reply.shrink_refused().empty()) return "a set is refused: " + reply.shrink_refused();
  if (const std::string problem = kubernetes_problem(reply); !problem.empty()) return problem;
  if (reply.brakes_size() > 0) return "a brake holds something back: " + reply.brakes(0).reason();
  if (reply.connections().failing()) return "the system gives no more connections";
  for (const v1::CertificateInfo& info : reply.certificates()) {
    if (!info.problem().empty()) return info.file() + ": " + info.problem();
  }
  return "";
}

Table list_table(const Listed& what, const v1::ListReply& told, std::int64_t unix_seconds) {
  const v1::ListReply reply = cleaned(told);
  if (what.kind == "Override") return overrides_table(reply, unix_seconds);
  if (what.kind == "Node") return nodes_table(reply, what.wide);
  if (what.kind == "Endpoint") return endpoints_table(reply, what.wide);
  return what.kind == "Cluster" ? clusters_table(reply) : destinations_table(reply);
}

std::string list_view(const Listed& what, const v1::ListReply& reply, std::int64_t unix_seconds) {
  static const std::map<std::string, std::string> kNone = {{"Override", "no overrides\n"},
                                                           {"Node", "no nodes\n"},
                                                           {"Endpoint", "no endpoints\n"},
                                                           {"Cluster", "no clusters\n"},
                                                           {"VirtualDestination", "no virtual destinations\n"}};
  const Table table = list_table(what, reply, unix_seconds);
  if (table.empty()) return kNone.at(what.kind);
  const bool stale = !reply.frozen().empty() && (what.kind == "Endpoint" || what.kind == "Node");
  return (stale ? "frozen " + printable(reply.frozen()) + ": these are the states of when it began\n\n" : "") +
         table.text();
}

std::string capture_title() { return "   SECOND  CLIENT           BY   TYPE   RCODE     ANSWERS  TIER  NAME\n"; }

std::string capture_rows(const v1::CaptureReply& told) {
  const v1::CaptureReply reply = cleaned(told);
  std::string out;
  for (const v1::CapturedQuery& query : reply.queries()) {
    const double second = std::chrono::duration<double>(convert::from_wire(query.at())).count();
    const std::string answers = query.truncated() ? "TC" : std::to_string(query.answers());
    out += fmt::format("{:>9.3f}  {:<15}  {:<3}  {:<5}  {:<8}  {:>7}  {:>4}  {}\n", second, query.client(),
                       query.transport(), query.type(), query.rcode(), answers,
                       query.has_tier() ? std::to_string(query.tier()) : "-", query.name());
  }
  return out;
}

std::string describe_node(const v1::NodeInfo& told) {
  const v1::NodeInfo node = cleaned(told);
  std::vector<std::pair<std::string, std::string>> rows = {
      {"node", node.key()},
      {"where", convert::to_locality(node.locality()).text()},
      {"network", or_dash(node.locality().network())},
      {"addresses", or_dash(joined(node.addresses()))},
      {"prefixes", or_dash(joined(node.prefixes()))},
      {"endpoints", std::to_string(node.endpoints())},
      {"state", node.state() + (node.has_in_state() ? ", not heard for " + age(node.in_state()) : "")}};
  if (!node.problem().empty()) rows.emplace_back("problem", "its agent " + node.problem());
  return pairs(rows);
}

std::string describe_endpoint(const v1::EndpointInfo& told) {
  const v1::EndpointInfo endpoint = cleaned(told);
  std::vector<std::pair<std::string, std::string>> rows = {{"endpoint", endpoint.key()},
                                                           {"service", services_text(endpoint)},
                                                           {"address", endpoint.address()},
                                                           {"ports", ports_text(endpoint, ", ")},
                                                           {"node", endpoint.node()},
                                                           {"where", endpoint.where()},
                                                           {"labels", labels_text(endpoint.labels(), ", ")},
                                                           {"weight", std::to_string(endpoint.weight())}};
  rows.emplace_back("state", endpoint.state() + " for " + age(endpoint.in_state()) +
                                 (endpoint.why().empty() ? "" : ": " + endpoint.why()));
  if (!endpoint.source().empty()) rows.emplace_back("listed by", source_text(endpoint));
  if (!endpoint.memberships().empty()) rows.emplace_back("memberships", memberships_text(endpoint));
  if (!endpoint.mapped().empty()) rows.emplace_back("mapped", mapped_text(endpoint));
  return pairs(rows);
}

std::string describe_cluster(const v1::ClusterInfo& told) {
  const v1::ClusterInfo cluster = cleaned(told);
  return pairs({{"cluster", cluster.name() + " (no Cluster object declares it)"},
                {"where", convert::to_locality(cluster.locality()).text()},
                {"nodes", std::to_string(cluster.nodes())},
                {"measured", distances_text(cluster.distances())},
                {"gateways down", or_dash(joined(cluster.gateways_down()))}});
}

std::string describe_object(const v1::Object& object) { return convert::Document(object).yaml(); }

}  // namespace meshdns::ctl
