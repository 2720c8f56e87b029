#include "dnsd/ctl/views.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <vector>

#include "common/base/text.h"
#include "common/config/object_text.h"
#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"
#include "common/time/time_text.h"
#include "dnsd/ctl/override_object.h"
#include "dnsd/ctl/table.h"

namespace meshdns::ctl {
namespace {

std::string age(const google::protobuf::Duration& duration) { return age_text(convert::from_wire(duration)); }

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

template <class Field>
std::string joined(const Field& field, const std::string& separator = ", ") {
  return join({field.begin(), field.end()}, separator);
}

/// "name     value", names in one width
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

/// "eu-2:12ms,us-1:80ms"
std::string distances_text(const google::protobuf::Map<std::string, google::protobuf::Duration>& distances) {
  std::map<std::string, std::string> in_order;
  for (const auto& [to, far] : distances) in_order[to] = duration_text(convert::from_wire(far));
  std::vector<std::string> texts;
  for (const auto& [to, far] : in_order) texts.push_back(to + ":" + far);
  return or_dash(join(texts, ","));
}

constexpr std::size_t kColumns = 110;
constexpr std::size_t kShortestReason = 12;

std::string shortened(const std::string& text, std::size_t longest) {
  return text.size() <= longest || longest < 3 ? text.substr(0, longest) : text.substr(0, longest - 3) + "...";
}

/// "52m" until an override ends
std::string left_text(const std::string& expires, std::int64_t unix_seconds) {
  const auto then = parse_time(expires);
  return then ? age_text(std::chrono::seconds(std::max<std::int64_t>(0, *then - unix_seconds))) : "never";
}

/// "since 2026-11-27T18:00:00Z by alice@host: incident 42, 17 changes held, until 2026-11-27T19:00:00Z"
std::string freeze_text(const v1::FreezeInfo& freeze) {
  std::string out = "since " + time_text(freeze.since()) + (freeze.author().empty() ? "" : " by " + freeze.author()) +
                    ": " + freeze.reason();
  if (freeze.has_held()) {
    out += ", " + std::to_string(freeze.held()) + (freeze.held() == 1 ? " change held" : " changes held");
  }
  return out + (freeze.expires() == 0 ? "" : ", until " + time_text(freeze.expires()));
}

/// "812 of 48488 open   FULL: others wait   3 refused"
std::string connections_text(const v1::ConnectionsInfo& info) {
  std::string out = std::to_string(info.open()) + " of " + std::to_string(info.most()) + " open";
  if (info.full()) out += "   FULL: others wait";
  if (info.failing()) out += "   CANNOT ACCEPT: the system gives no more";
  if (info.refused() > 0) out += "   " + std::to_string(info.refused()) + " refused for their address";
  if (info.evicted() > 0) out += "   " + std::to_string(info.evicted()) + " silent ones ended";
  return out;
}

Table nodes_table(const v1::ListReply& reply) {
  Table table({"NODE", "WHERE", "ADDRESSES", "ENDPOINTS", "STATE", "NOT HEARD FOR", "PROBLEM"});
  table.align_right(3);
  for (const v1::NodeInfo& node : reply.nodes()) {
    table.add({node.key(), convert::to_locality(node.locality()).text(), or_dash(joined(node.addresses(), ",")),
               std::to_string(node.endpoints()), node.state(), node.has_in_state() ? age(node.in_state()) : "",
               node.problem()});
  }
  return table;
}

Table endpoints_table(const v1::ListReply& reply) {
  Table table({"SERVICE", "ENDPOINT", "WHERE", "NODE", "STATE", "FOR", "WHY"});
  for (const v1::EndpointInfo& endpoint : reply.endpoints()) {
    table.add({endpoint.namespace_() + "/" + endpoint.service(), endpoint.address(), endpoint.where(), endpoint.node(),
               endpoint.state(), age(endpoint.in_state()), endpoint.why()});
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
  return table;
}

Table overrides_table(const v1::ListReply& reply, std::int64_t unix_seconds) {
  const auto rows = [&](std::size_t longest_reason) {
    Table table({"NAME", "ACTION", "TARGET", "REASON", "AUTHOR", "EXPIRES IN", "CREATED"});
    for (const v1::Object& object : reply.objects()) {
      const v1::OverrideSpec& spec = object.override();
      const std::string local = object.metadata().manager() == "local" ? " (local)" : "";
      table.add({object.metadata().name() + local, spec.action(), target_text_of(object),
                 shortened(spec.reason(), longest_reason), or_dash(spec.author()),
                 left_text(spec.expires(), unix_seconds),
                 age_text(std::chrono::seconds(unix_seconds - object.metadata().created())) + " ago"});
    }
    return table;
  };
  const std::size_t rest = rows(0).width();  // describe has the whole reason
  return rows(std::max<std::size_t>(kShortestReason, rest >= kColumns ? 0 : kColumns - rest));
}

}  // namespace

std::string status_view(const v1::StatusReply& reply) {
  std::vector<std::pair<std::string, std::string>> rows = {
      {"meshdnsd", reply.version() + "   " + reply.instance() + "   up " + age(reply.uptime()) +
                       (reply.ready() ? "   ready" : "   not ready")},
      {"roles", joined(reply.roles())},
      {"zones", joined(reply.zones()) + "   serial " + std::to_string(reply.serial())}};
  for (const v1::Listener& listener : reply.dns()) {
    rows.emplace_back("dns", listener.address() + "   " + convert::to_locality(listener.locality()).text());
  }
  if (!reply.federation().empty()) {
    rows.emplace_back("federation", reply.federation() + "   " + std::to_string(reply.agents_connected()) +
                                        (reply.agents_connected() == 1 ? " agent" : " agents") + " connected, " +
                                        std::to_string(reply.nodes_silent()) + " of " + std::to_string(reply.nodes()) +
                                        " nodes silent");
  }
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
    rows.emplace_back("brake", brake.name() + "   " + brake.reason() + "   holds " + std::to_string(brake.held_back()) +
                                   (brake.held_back() == 1 ? " node" : " nodes"));
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
                                   " old   " + std::to_string(reply.hosts()) + " hosts");
  rows.emplace_back("endpoints", state_counts(reply));
  rows.emplace_back(
      "answers",
      std::to_string(reply.queries()) + " queries   " + std::to_string(reply.publications()) +
          " publications, the last took " +
          duration_text(std::chrono::floor<std::chrono::microseconds>(convert::from_wire(reply.last_compile()))));
  if (!reply.store_trouble().empty()) rows.emplace_back("store", "NOT WRITABLE: " + reply.store_trouble());
  for (const v1::ObjectProblem& problem : reply.problems()) {
    rows.emplace_back("problem", problem.object() + ": " + problem.message());
  }
  if (reply.more_problems() > 0) {
    rows.emplace_back("problem", "and " + std::to_string(reply.more_problems()) + " more; meshdnsctl lint has all");
  }
  return pairs(rows);
}

Table list_table(const std::string& kind, const v1::ListReply& reply, std::int64_t unix_seconds) {
  if (kind == "Override") return overrides_table(reply, unix_seconds);
  if (kind == "Node") return nodes_table(reply);
  if (kind == "Endpoint") return endpoints_table(reply);
  return kind == "Cluster" ? clusters_table(reply) : destinations_table(reply);
}

std::string list_view(const std::string& kind, const v1::ListReply& reply, std::int64_t unix_seconds) {
  static const std::map<std::string, std::string> kNone = {{"Override", "no overrides\n"},
                                                           {"Node", "no nodes\n"},
                                                           {"Endpoint", "no endpoints\n"},
                                                           {"Cluster", "no clusters\n"},
                                                           {"VirtualDestination", "no virtual destinations\n"}};
  const Table table = list_table(kind, reply, unix_seconds);
  return table.empty() ? kNone.at(kind) : table.text();
}

std::string capture_title() { return "   SECOND  CLIENT           BY   TYPE   RCODE     ANSWERS  TIER  NAME\n"; }

std::string capture_rows(const v1::CaptureReply& reply) {
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

std::string describe_node(const v1::NodeInfo& node) {
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

std::string describe_endpoint(const v1::EndpointInfo& endpoint) {
  std::map<std::string, std::string> labels(endpoint.labels().begin(), endpoint.labels().end());
  std::vector<std::string> label_texts;
  for (const auto& [name, value] : labels) label_texts.push_back(name + "=" + value);
  std::vector<std::string> ports;
  for (const v1::Port& port : endpoint.ports()) {
    ports.push_back((port.name().empty() ? "" : port.name() + " ") + std::to_string(port.number()) + "/" +
                    port.protocol());
  }
  return pairs({{"endpoint", endpoint.key()},
                {"service", endpoint.namespace_() + "/" + endpoint.service()},
                {"address", endpoint.address()},
                {"ports", join(ports, ", ")},
                {"node", endpoint.node()},
                {"where", endpoint.where()},
                {"labels", or_dash(join(label_texts, ", "))},
                {"weight", std::to_string(endpoint.weight())},
                {"state", endpoint.state() + " for " + age(endpoint.in_state()) +
                              (endpoint.why().empty() ? "" : ": " + endpoint.why())}});
}

std::string describe_object(const v1::Object& object) { return config::object_yaml(object); }

}  // namespace meshdns::ctl
