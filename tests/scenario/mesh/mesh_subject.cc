#include "tests/scenario/mesh/mesh_subject.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "common/base/text.h"
#include "common/net/socket_address.h"
#include "common/time/duration_text.h"
#include "dnsd/query/answer.h"
#include "tests/support/dns/record.h"
#include "tests/support/dns/reply.h"
#include "tests/support/dns/request.h"

namespace meshdns::test {
namespace {

/// The value, or an exception that the runner prints.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *result;
}

std::string two(const std::string& pair, char separator, std::string& first) {
  const auto at = pair.find(separator);
  first = pair.substr(0, at);
  return at == std::string::npos ? "" : pair.substr(at + 1);
}

model::Locality locality_of(const Command& command) {
  model::Locality out;
  for (const model::Part part : model::kParts) out.part(part) = command.option(std::string(part_name(part)));
  return out;
}

std::vector<Prefix> prefixes_of(const Command& command, const std::string& key) {
  std::vector<Prefix> out;
  for (const auto& text : command.list(key)) out.push_back(must(Prefix::parse(text)));
  return out;
}

std::vector<IpAddress> addresses_of(const std::string& text) {
  std::vector<IpAddress> out;
  for (const std::string_view part : split(text, ',')) out.push_back(must(IpAddress::parse(part)));
  return out;
}

model::Labels labels_of(const Command& command) {
  model::Labels out;
  for (const auto& entry : command.list("labels")) {
    std::string name;
    const std::string value = two(entry, ':', name);
    out[name] = value;
  }
  return out;
}

model::HealthState state_of(const std::string& text) {
  using enum model::HealthState;
  for (const auto state : {Pending, Serving, Draining, Failing}) {
    if (ascii_lower(model::health_state_name(state)) == text) return state;
  }
  throw std::runtime_error("no such state: " + text);
}

std::uint32_t number(const std::string& text) { return static_cast<std::uint32_t>(std::stoul(text)); }

model::ObjectMeta meta_of(const Command& command) {
  model::ObjectMeta meta;
  meta.name = two(command.words.at(1), '/', meta.namespace_);
  meta.created = number(command.option("created", "1"));
  return meta;
}

model::Policy policy_of(const Command& command) {
  model::Policy policy;
  if (command.options.contains("ladder")) policy.ladder.clear();
  for (const auto& rung : command.list("ladder")) policy.ladder.push_back(must(model::parse_rung(rung)));
  if (command.option("onEmpty") == "NoData") policy.on_empty = model::OnEmpty::NoData;
  if (command.option("families") == "independent") policy.families = model::Families::Independent;
  policy.max_answers = number(command.option("max", "8"));
  policy.ttl = must(parse_duration(command.option("ttl", "5s")));
  policy.ttl_min = must(parse_duration(command.option("ttlMin", "1s")));
  return policy;
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
                                                     {"health", &MeshSubject::set_health},
                                                     {"silent", &MeshSubject::set_status},
                                                     {"late", &MeshSubject::set_status},
                                                     {"heard", &MeshSubject::set_status},
                                                     {"withdraw", &MeshSubject::withdraw},
                                                     {"forget", &MeshSubject::forget},
                                                     {"advance", &MeshSubject::advance},
                                                     {"vd", &MeshSubject::put_destination},
                                                     {"erase", &MeshSubject::erase},
                                                     {"revision", &MeshSubject::print_revision},
                                                     {"changes", &MeshSubject::print_changes},
                                                     {"conflicts", &MeshSubject::print_conflicts},
                                                     {"query", &MeshSubject::ask}};
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
  model::Cluster cluster;
  cluster.meta.name = command.words.at(1);
  cluster.locality = locality_of(command);
  for (const auto& entry : command.list("distance")) {
    std::string to;
    const std::string far = two(entry, ':', to);
    cluster.distances[to] = must(parse_duration(far));
  }
  cluster.client_prefixes = prefixes_of(command, "clients");
  if (command.options.contains("allowed")) cluster.allowed_prefixes = prefixes_of(command, "allowed");
  catalog_.put_cluster(cluster, now_);
  return "";
}

std::string MeshSubject::put_node(const Command& command) {
  model::Node node;
  node.key = command.words.at(1);
  node.locality = locality_of(command);
  node.locality.node = two(node.key, '/', node.locality.cluster);
  if (command.options.contains("address")) node.addresses = addresses_of(command.option("address"));
  node.prefixes = prefixes_of(command, "prefix");
  const auto refusal = catalog_.put_node(node, now_);
  return refusal ? "refused " + refusal->key + " " + refusal->field + ": " + refusal->reason + "\n" : "";
}

std::string MeshSubject::put_endpoint(const Command& command) {
  model::Endpoint endpoint;
  endpoint.node = command.words.at(1);
  endpoint.service = two(command.words.at(2), '/', endpoint.namespace_);
  endpoint.key = endpoint.node + "/" + command.words.at(3);
  endpoint.source = "static";
  endpoint.addresses = addresses_of(command.words.at(3));
  endpoint.labels = labels_of(command);
  for (const auto& entry : command.list("ports")) {
    model::Port port;
    std::string number_text;
    port.app_protocol = two(two(entry, ':', port.name), ':', number_text);
    port.number = static_cast<std::uint16_t>(number(number_text));
    endpoint.ports.push_back(port);
  }
  if (endpoint.ports.empty()) endpoint.ports.push_back({"http", 8080, "TCP", "http"});
  endpoint.weight = number(command.option("weight", "1"));
  endpoint.health.state = state_of(command.option("state", "serving"));
  endpoint.health.since = now_;
  const auto refusals = catalog_.apply_delta(endpoint.node, {endpoint}, {}, now_);
  return refusals.empty() ? ""
                          : "refused " + refusals[0].key + " " + refusals[0].field + ": " + refusals[0].reason + "\n";
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
  return "";
}

std::string MeshSubject::put_destination(const Command& command) {
  model::VirtualDestination object;
  object.meta = meta_of(command);
  object.hosts = command.list("hosts");
  object.policy = policy_of(command);
  if (command.options.contains("name") || command.options.contains("labels")) {
    object.services.push_back({"", command.option("name"), command.list("clusters"), labels_of(command), {}});
  }
  for (const auto& entry : command.list("ports")) {
    model::PortMapping port;
    std::string number_text;
    port.app_protocol = two(two(two(entry, ':', port.name), ':', number_text), ':', port.target_port);
    port.number = static_cast<std::uint16_t>(number(number_text));
    object.ports.push_back(port);
  }
  if (command.options.contains("external")) {
    const SocketAddress at = must(SocketAddress::parse(command.option("external")));
    object.external_endpoints.push_back({at.ip, "", at.port, locality_of(command), 1});
  }
  catalog_.put_destination(object, now_);
  return "";
}

std::string MeshSubject::erase(const Command& command) {
  const bool done = command.words.at(1) == "vd" ? catalog_.erase_destination(command.words.at(2), now_)
                                                : catalog_.erase_cluster(command.words.at(2), now_);
  return done ? "" : "not found\n";
}

std::string MeshSubject::print_revision(const Command&) {
  return "revision " + std::to_string(catalog_.revision()) + "\n";
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

answers::Compiled MeshSubject::compiled() const {
  answers::Settings settings = settings_;
  if (settings.listeners.empty()) settings.listeners.push_back({"10.0.9.1:53", {}});
  std::vector<std::string> zones;
  for (const auto& zone : settings.zones) zones.push_back(zone.name);
  const auto records = must(answers::parse_records(settings.static_records, zones));
  return answers::compile(
      {catalog_.records(), settings, records, {catalog_.revision(), catalog_.changed()}, 1000, false, false, now_});
}

std::string MeshSubject::print_conflicts(const Command&) {
  std::string out;
  for (const auto& conflict : compiled().conflicts) out += conflict.object + ": " + conflict.message + "\n";
  return out;
}

std::string MeshSubject::ask(const Command& command) {
  const answers::Compiled compiled = this->compiled();
  const Bytes request = request_of(command).bytes();
  record_packet(request);
  std::array<std::uint8_t, 65535> buffer;
  std::ranges::copy(request, buffer.begin());
  const query::Context context{.table = *compiled.table,
                               .client = must(IpAddress::parse(command.option("from", "192.0.2.1"))),
                               .listener = static_cast<std::uint16_t>(number(command.option("listener", "0"))),
                               .stream = command.has_word("tcp"),
                               .now = now_,
                               .random = random_,
                               .counters = counters_};
  const std::size_t size = query::answer(buffer.data(), request.size(), buffer.size(), context);
  return reply_text(must(parse_reply(std::span(buffer).first(size))));
}

}  // namespace meshdns::test
