#include "tests/scenario/mesh/mesh_subject.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>

#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "dnsd/answers/zone_parser.h"
#include "dnsd/query/answer.h"
#include "tests/scenario/mesh/words.h"
#include "tests/support/dns/record.h"
#include "tests/support/dns/reply.h"
#include "tests/support/dns/request.h"

namespace meshdns::test {
namespace {

model::HealthState state_of(const std::string& text) {
  using enum model::HealthState;
  for (const auto state : {Pending, Serving, Draining, Failing}) {
    if (ascii_lower(model::health_state_name(state)) == text) return state;
  }
  throw std::runtime_error("no such state: " + text);
}

/// Of the address of a family: empty = it is answered
std::optional<model::HealthState> out_state_of(const std::string& word) {
  if (word.empty()) return std::nullopt;
  return state_of(word);
}

wire::Type type_of(const std::string& text) {
  static const std::map<std::string, wire::Type> kTypes = {
      {"A", wire::Type::A},     {"AAAA", wire::Type::AAAA}, {"SRV", wire::Type::SRV},   {"TXT", wire::Type::TXT},
      {"SOA", wire::Type::SOA}, {"NS", wire::Type::NS},     {"ANY", wire::Type::ANY},   {"CNAME", wire::Type::CNAME},
      {"MX", wire::Type::MX},   {"PTR", wire::Type::PTR},   {"SVCB", wire::Type::SVCB}, {"HTTPS", wire::Type::HTTPS}};
  return kTypes.at(text);
}

std::string rcode_text(std::uint16_t rcode) {
  static const std::map<int, std::string> kNames = {{0, "NOERROR"}, {1, "FORMERR"}, {3, "NXDOMAIN"}, {5, "REFUSED"}};
  const auto found = kNames.find(rcode);
  return found == kNames.end() ? "RCODE" + std::to_string(rcode) : found->second;
}

std::string section_text(const std::string& title, std::vector<std::string> records) {
  std::ranges::sort(records);  // the order among equals is random
  std::string out;
  for (const std::string& record : records) out += title + record + "\n";
  return out;
}

std::string reply_text(const Reply& reply) {
  std::string out = rcode_text(reply.rcode);
  if (reply.aa) out += " aa";
  if (reply.tc) out += " tc";
  if (!reply.subnet().empty()) out += " ecs=" + reply.subnet();
  if (!reply.ede().empty()) out += " ede=\"" + reply.ede() + "\"";
  return out + "\n" + section_text("  ", reply.answer) + section_text("  authority ", reply.authority) +
         section_text("  additional ", reply.additional);
}

/// The data of the answers: "10.0.0.11 10.0.0.12"
std::string answer_text(const Reply& reply) {
  std::vector<std::string> out;
  for (const std::string& record : reply.answer) out.push_back(record.substr(record.rfind(' ') + 1));
  std::ranges::sort(out);
  return out.empty() ? rcode_text(reply.rcode) + " without records" : join(out, " ");
}

Request request_of(const Command& command) {
  Request request;
  request.name = command.words.at(1);
  request.type = type_of(command.words.at(2));
  if (!command.has_word("edns") && !command.options.contains("ecs") && !command.options.contains("size"))
    return request;
  request.edns.emplace();
  request.edns->udp_size = static_cast<std::uint16_t>(number(command.option("size", "1232")));
  if (command.options.contains("ecs")) request.edns->subnet(command.option("ecs"));
  return request;
}

}  // namespace

MeshSubject::MeshSubject() {
  settings_.zones.push_back({"mesh.internal", {}, ""});
  settings_.own_addresses = {IpAddress::v4(0x0A000035)};
  settings_.explain_allow = std::vector<Prefix>{Prefix{}};
}

const std::map<std::string, MeshSubject::Verb>& MeshSubject::verbs() {
  static const std::map<std::string, Verb> kVerbs = {{"zone", &MeshSubject::set_zone},
                                                     {"server", &MeshSubject::set_server},
                                                     {"listener", &MeshSubject::add_listener},
                                                     {"forwarder", &MeshSubject::add_forwarder},
                                                     {"auto_hosts", &MeshSubject::set_auto_hosts},
                                                     {"static", &MeshSubject::add_static},
                                                     {"cluster", &MeshSubject::put_cluster},
                                                     {"node", &MeshSubject::put_node},
                                                     {"endpoint", &MeshSubject::put_endpoint},
                                                     {"memberships", &MeshSubject::set_memberships},
                                                     {"health", &MeshSubject::set_health},
                                                     {"silent", &MeshSubject::set_status},
                                                     {"late", &MeshSubject::set_status},
                                                     {"heard", &MeshSubject::set_status},
                                                     {"withdraw", &MeshSubject::withdraw},
                                                     {"forget", &MeshSubject::forget},
                                                     {"advance", &MeshSubject::advance},
                                                     {"vd", &MeshSubject::put_destination},
                                                     {"override", &MeshSubject::put_override},
                                                     {"erase", &MeshSubject::erase},
                                                     {"revision", &MeshSubject::print_revision},
                                                     {"changes", &MeshSubject::print_changes},
                                                     {"conflicts", &MeshSubject::print_conflicts},
                                                     {"query", &MeshSubject::ask},
                                                     {"draws", &MeshSubject::draw},
                                                     {"measured", &MeshSubject::set_measured},
                                                     {"gateways_down", &MeshSubject::set_gateways_down},
                                                     {"resolved", &MeshSubject::set_resolved}};
  return kVerbs;
}

std::string MeshSubject::run(const Command& command) {
  const auto verb = verbs().find(command.words.at(0));
  if (verb == verbs().end()) throw std::runtime_error("unknown verb");
  return (this->*verb->second)(command);
}

std::string MeshSubject::set_zone(const Command& command) {
  settings_.zones.clear();
  for (std::size_t i = 1; i < command.words.size(); ++i) settings_.zones.push_back({command.words[i], {}, ""});
  return "";
}

std::string MeshSubject::set_server(const Command& command) {
  settings_.own = locality_of(command);
  return "";
}

std::string MeshSubject::add_listener(const Command& command) {
  const std::string text = "10.0.9." + std::to_string(settings_.listeners.size()) + ":53";
  settings_.listeners.push_back({text, locality_of(command)});
  return "";
}

std::string MeshSubject::add_forwarder(const Command& command) {
  const bool node = command.option("granularity") == "node";
  settings_.forwarders.push_back(
      {must(Prefix::parse(command.words.at(1))), node ? model::Part::Node : model::Part::Cluster});
  return "";
}

std::string MeshSubject::set_auto_hosts(const Command& command) {
  settings_.auto_hosts = command.words.at(1) == "off" ? "" : command.words.at(1);
  return "";
}

std::string MeshSubject::add_static(const Command& command) {
  settings_.static_records.push_back(join({command.words.begin() + 1, command.words.end()}, " "));
  return "";
}

std::string MeshSubject::put_cluster(const Command& command) {
  catalog_.put_cluster(cluster_of(command), now_);
  return "";
}

std::string MeshSubject::put_node(const Command& command) {
  model::Node node;
  node.key = command.words.at(1);
  node.locality = locality_of(command);
  node.locality.node = two(node.key, '/', node.locality.cluster);
  if (command.options.contains("address")) node.addresses = addresses_of(command.list("address"));
  node.prefixes = prefixes_of(command, "prefix");
  const auto refusal = catalog_.put_node(node, now_);
  return refusal ? "refused " + refusal->key + " " + refusal->field + ": " + refusal->reason + "\n" : "";
}

std::string MeshSubject::put_endpoint(const Command& command) {
  model::Endpoint endpoint;
  endpoint.node = command.words.at(1);
  endpoint.service = two(command.words.at(2), '/', endpoint.namespace_);
  if (endpoint.service == "-") endpoint.service.clear();
  endpoint.key = endpoint.node + "/" + command.words.at(3);
  endpoint.source = "static";
  endpoint.addresses = addresses_of(split_words(command.words.at(3)));
  endpoint.labels = labels_of(command.list("labels"));
  const bool no_ports = command.option("ports") == "none";
  if (!no_ports) endpoint.ports = ports_of(command.list("ports"));
  endpoint.memberships = memberships_of(command.list("in"));
  if (!no_ports && endpoint.ports.empty()) endpoint.ports.push_back({"http", 8080, "TCP", "http"});
  endpoint.weight = number(command.option("weight", "1"));
  endpoint.health.state = state_of(command.option("state", "serving"));
  endpoint.health.since = now_;
  const auto refusals = catalog_.apply_delta(endpoint.node, {endpoint}, {}, now_);
  return refusals.empty() ? ""
                          : "refused " + refusals[0].key + " " + refusals[0].field + ": " + refusals[0].reason + "\n";
}

std::string MeshSubject::set_memberships(const Command& command) {
  for (const auto& [key, endpoint] : catalog_.records().endpoints) {
    if (!key.ends_with("/" + command.words.at(1))) continue;
    const std::string known = key;  // the endpoint is replaced
    const auto refusals = catalog_.set_memberships({{known, memberships_of(command.list("in"))}}, now_);
    return refusals.empty() ? "" : "refused " + refusals[0].field + ": " + refusals[0].reason + "\n";
  }
  throw std::runtime_error("no such endpoint");
}

std::string MeshSubject::set_health(const Command& command) {
  for (const auto& [key, found] : catalog_.records().endpoints) {
    if (!key.ends_with("/" + command.words.at(1))) continue;
    model::Endpoint endpoint = found;
    endpoint.health.state = state_of(command.words.at(2));
    endpoint.health.in_doubt = command.has_word("doubt");
    endpoint.health.detail = command.option("detail");
    std::ranges::replace(endpoint.health.detail, '_', ' ');
    std::string streak;
    const std::string needed = two(command.option("streak", "0/0"), '/', streak);
    endpoint.health.streak = number(streak);
    endpoint.health.needed = number(needed);
    endpoint.health.v4 = out_state_of(command.option("v4"));
    endpoint.health.v6 = out_state_of(command.option("v6"));
    if (endpoint.health.state != found.health.state) endpoint.health.since = now_;
    catalog_.apply_delta(endpoint.node, {endpoint}, {}, now_);
    return "";
  }
  throw std::runtime_error("no such endpoint");
}

std::string MeshSubject::set_status(const Command& command) {
  const std::string& verb = command.words.at(0);
  catalog_.set_status(command.words.at(1), {verb == "silent", verb == "late", now_, command.option("held")}, now_);
  return "";
}

std::string MeshSubject::withdraw(const Command& command) {
  catalog_.withdraw(command.words.at(1), now_);
  return "";
}

std::string MeshSubject::forget(const Command& command) {
  catalog_.forget(must(parse_duration(command.words.at(1))), now_);
  return "";
}

std::string MeshSubject::advance(const Command& command) {
  now_ += must(parse_duration(command.words.at(1)));
  for (const auto& name : topology::expired(catalog_.records().overrides, now_.time_since_epoch() / 1s)) {
    catalog_.erase_override(name, now_);
  }
  return "";
}

std::string MeshSubject::put_destination(const Command& command) {
  catalog_.put_destination(destination_of(command), now_);
  return "";
}

std::string MeshSubject::set_measured(const Command& command) {
  const std::string& cluster = command.words.at(1);
  model::ClusterStatus& status = statuses_[cluster];
  status.distances = distances_of(split_words(command.words.size() > 2 ? command.words[2] : ""));
  catalog_.set_cluster_status(cluster, status, now_);
  return "";
}

std::string MeshSubject::set_gateways_down(const Command& command) {
  const std::string& cluster = command.words.at(1);
  model::ClusterStatus& status = statuses_[cluster];
  const auto down = addresses_of(split_words(command.words.size() > 2 ? command.words[2] : ""));
  status.gateways_down = {down.begin(), down.end()};
  catalog_.set_cluster_status(cluster, status, now_);
  return "";
}

std::string MeshSubject::set_resolved(const Command& command) {
  const auto addresses = addresses_of(split_words(command.words.size() > 2 ? command.words[2] : ""));
  catalog_.set_external_name(command.words.at(1), {addresses}, now_);
  return "";
}

std::string MeshSubject::put_override(const Command& command) {
  const model::Override word = override_of(command, now_);
  if (topology::is_local(word)) {
    catalog_.set_local_override(word.meta.name, word);
  } else {
    catalog_.put_override(word, now_);
  }
  return "";
}

std::string MeshSubject::erase(const Command& command) {
  const std::string& kind = command.words.at(1);
  const std::string& key = command.words.at(2);
  const bool done = kind == "vd"         ? catalog_.erase_destination(key, now_)
                    : kind == "override" ? catalog_.erase_override(key, now_)
                                         : catalog_.erase_cluster(key, now_);
  return done ? "" : "not found\n";
}

std::string MeshSubject::print_revision(const Command&) {
  const std::string held = catalog_.frozen() ? ", " + std::to_string(catalog_.held()) + " held" : "";
  return "revision " + std::to_string(catalog_.revision()) + held + "\n";
}

std::string MeshSubject::print_changes(const Command& command) {
  const auto changes = catalog_.changes_since(number(command.words.at(1)));
  if (!changes) return "too long ago\n";
  std::string out;
  for (const catalog::Change& change : *changes) {
    out += std::to_string(change.revision) + (change.removed ? " - " : " + ") +
           std::string(record_type_name(change.type)) + " " + change.key + "\n";
  }
  return out;
}

answers::Compiled MeshSubject::compiled() {
  answers::AnswerSettings settings = settings_;
  if (settings.listeners.empty()) settings.listeners.push_back({"10.0.9.1:53", {}});
  std::vector<std::string> zones;
  for (const auto& zone : settings.zones) zones.push_back(zone.name);
  const auto records = must(answers::parse_records(settings.static_records, zones));
  topology::Planner planner(catalog_.records());
  answers::Update update;
  update.base = answers::make_base(settings, records);
  answers::configure(planner, *update.base);
  update.locator = answers::locator_input(catalog_.records());
  update.clusters = answers::cluster_records(catalog_.records());
  update.put = planner.take(now_).put;
  update.version = {catalog_.revision(), catalog_.changed(), topology::frozen_text(catalog_.records().overrides)};
  update.serial = 1000;
  std::set<std::string> hosts;
  for (const topology::HostPlan& plan : update.put) hosts.insert(plan.name);
  std::ranges::set_difference(hosts_, hosts, std::back_inserter(update.erased));
  hosts_ = std::move(hosts);
  return {compiler_.apply(std::move(update)), planner.conflicts()};
}

std::string MeshSubject::print_conflicts(const Command&) {
  std::string out;
  for (const auto& conflict : compiled().conflicts) out += conflict.object + ": " + conflict.message + "\n";
  return out;
}

std::string MeshSubject::ask(const Command& command) {
  return reply_text(reply_to(*compiled().table, command, request_of(command)));
}

Reply MeshSubject::reply_to(const answers::AnswerTable& table, const Command& command, const Request& request) {
  const Bytes bytes = request.bytes();
  record_packet(bytes);
  std::array<std::uint8_t, 65535> buffer;
  std::ranges::copy(bytes, buffer.begin());
  const query::Context context{.table = table,
                               .client = must(IpAddress::parse(command.option("from", "192.0.2.1"))),
                               .listener = static_cast<std::uint16_t>(number(command.option("listener", "0"))),
                               .stream = command.has_word("tcp"),
                               .now = now_,
                               .random = random_,
                               .counters = counters_,
                               .unix_seconds = number(command.option("at", "0"))};
  const std::size_t size = query::answer(buffer.data(), bytes.size(), buffer.size(), context);
  return must(parse_reply(std::span(buffer).first(size)));
}

std::string MeshSubject::draw(const Command& command) {
  const auto table = compiled().table;
  const std::uint32_t step = number(command.option("step", "5"));
  std::map<std::string, int> seen;
  for (std::uint32_t i = 0; i < number(command.option("count", "1000")); ++i) {
    std::vector<std::string> texts;
    for (std::size_t type = 2; type < command.words.size(); ++type) {
      for (const std::string& from : command.list("from")) {
        Command one = command;
        one.words = {"query", command.words[1], command.words[type]};
        one.options["from"] = from;
        one.options["at"] = std::to_string(i * step);
        texts.push_back(answer_text(reply_to(*table, one, request_of(one))));
      }
    }
    ++seen[join(texts, " | ")];
  }
  std::string out;
  for (const auto& [text, times] : seen) out += "  " + std::to_string(times) + " x " + text + "\n";
  return out;
}

}  // namespace meshdns::test
