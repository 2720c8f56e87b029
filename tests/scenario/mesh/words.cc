#include "tests/scenario/mesh/words.h"

#include <algorithm>
#include <map>

#include "common/base/text.h"
#include "common/net/socket_address.h"
#include "common/time/duration_text.h"
#include "dnsd/topology/words.h"

namespace meshdns::test {
namespace {

model::Part part_of(const std::string& name) {
  const auto found = std::ranges::find(model::kParts, name, model::part_name);
  if (found == model::kParts.end()) throw std::runtime_error("no part of a locality: " + name);
  return *found;
}

/// "region:us+zone:us-a"; "*" = everywhere
model::Locality selector_of(const std::string& text) {
  model::Locality out;
  if (text == "*") return out;
  for (const std::string& entry : split_words(text, '+')) {
    std::string part;
    const std::string value = two(entry, ':', part);
    out.part(part_of(part)) = value;
  }
  return out;
}

model::Fence fence_of(const std::vector<std::string>& conditions) {
  model::Fence out;
  for (const std::string& condition : conditions) {
    std::string word;
    const std::string names = two(condition, ':', word);
    if (word == "within") {
      out.within = part_of(names);
    } else {
      const std::map<std::string, std::vector<std::string>*> lists = {
          {"regions", &out.regions}, {"zones", &out.zones}, {"clusters", &out.clusters}};
      *lists.at(word) = split_words(names, '+');
    }
  }
  return out;
}

model::Failover failover_of(const std::string& text) {
  const auto places = split_words(text, '>');
  model::Failover out{selector_of(places.at(0)), {}};
  for (std::size_t i = 1; i < places.size(); ++i) out.to.push_back(selector_of(places[i]));
  return out;
}

model::Distribute distribute_of(const std::string& text) {
  const auto shares = split_words(text, '>');
  model::Distribute out{selector_of(shares.at(0)), {}};
  for (std::size_t i = 1; i < shares.size(); ++i) {
    std::string percent;
    const std::string place = two(shares[i], '%', percent);
    out.to.push_back({selector_of(place), number(percent)});
  }
  return out;
}

std::uint32_t percent_of(const std::string& text) {
  if (!text.ends_with('%')) throw std::runtime_error("no percentage: " + text);
  return number(text);
}

model::Spill spill_of(const std::string& text) {
  std::string factor;
  const std::string panic = two(text, '/', factor);
  return {percent_of(factor), panic.empty() ? 0 : percent_of(panic)};
}

void read_order(const Command& command, model::Policy& policy) {
  if (command.options.contains("fence")) policy.fence = fence_of(command.list("fence"));
  for (const auto& rule : command.list("failover")) policy.failover.push_back(failover_of(rule));
  for (const auto& rule : command.list("distribute")) policy.distribute.push_back(distribute_of(rule));
  for (const auto& group : command.list("groups")) policy.priority_groups.push_back(labels_of(split_words(group, '+')));
  if (command.options.contains("spill")) policy.spill = spill_of(command.option("spill"));
}

model::Policy policy_of(const Command& command) {
  model::Policy policy;
  if (command.options.contains("ladder")) policy.ladder.clear();
  for (const auto& rung : command.list("ladder")) policy.ladder.push_back(must(model::parse_rung(rung)));
  read_order(command, policy);
  if (command.option("onEmpty") == "NoData") policy.on_empty = model::OnEmpty::NoData;
  if (command.option("families") == "independent") policy.families = model::Families::Independent;
  if (command.options.contains("max")) policy.max_answers = number(command.option("max"));
  policy.ttl = must(parse_duration(command.option("ttl", "5s")));
  policy.ttl_min = must(parse_duration(command.option("ttlMin", "1s")));
  const std::string slow_start = command.option("slowStart", "30s");
  policy.slow_start = slow_start == "off" ? Duration::zero() : must(parse_duration(slow_start));
  return policy;
}

model::LabelExpression expression_of(const std::string& text) {
  using enum model::LabelExpression::Operator;
  static const std::map<std::string, model::LabelExpression::Operator> kOperators = {
      {"In", In}, {"NotIn", NotIn}, {"Exists", Exists}, {"DoesNotExist", DoesNotExist}};
  model::LabelExpression out;
  std::string op;
  out.values = split_words(two(two(text, ':', out.key), ':', op), '+');
  out.op = kOperators.at(op);
  return out;
}

std::vector<model::ServiceSelector> services_of(const Command& command) {
  std::vector<model::ServiceSelector> out;
  const auto given = [&](const char* key) { return command.options.contains(key); };
  if (given("name") || given("labels") || given("expressions")) {
    model::ServiceSelector selector{
        "", command.option("name"), command.list("clusters"), labels_of(command.list("labels")), {}};
    for (const auto& entry : command.list("expressions")) selector.match_expressions.push_back(expression_of(entry));
    out.push_back(selector);
  }
  for (const auto& entry : command.list("also")) {
    model::ServiceSelector selector;
    selector.name = two(entry, '/', selector.namespace_);
    out.push_back(selector);
  }
  return out;
}

std::vector<model::PortMapping> mapping_of(const std::vector<std::string>& entries) {
  std::vector<model::PortMapping> out;
  for (const auto& entry : entries) {
    model::PortMapping port;
    std::string number_text;
    port.app_protocol = two(two(two(entry, ':', port.name), ':', number_text), ':', port.target_port);
    port.number = static_cast<std::uint16_t>(number(number_text));
    out.push_back(port);
  }
  return out;
}

std::vector<model::ExternalEndpoint> external_of(const Command& command) {
  std::vector<model::ExternalEndpoint> out;
  const std::uint32_t weight = number(command.option("externalWeight", "1"));
  for (const auto& entry : command.list("external")) {
    const SocketAddress at = must(SocketAddress::parse(entry));
    out.push_back({at.ip, "", at.port, locality_of(command), weight});
  }
  for (const auto& entry : command.list("hostname")) {
    std::string name;
    const std::string port = two(entry, ':', name);
    out.push_back({{}, name, static_cast<std::uint16_t>(number(port)), locality_of(command), weight});
  }
  return out;
}

model::ObjectMeta meta_of(const Command& command) {
  model::ObjectMeta meta;
  meta.name = two(command.words.at(1), '/', meta.namespace_);
  meta.created = number(command.option("created", "1"));
  return meta;
}

/// "10.1.0.1/http:8080/grpc:9090"
model::Gateway gateway_of(const std::string& text) {
  auto words = split_words(text, '/');
  model::Gateway out;
  out.address = must(IpAddress::parse(words.at(0)));
  words.erase(words.begin());
  out.ports = ports_of(words);
  return out;
}

}  // namespace

std::string two(const std::string& pair, char separator, std::string& first) {
  const auto at = pair.find(separator);
  first = pair.substr(0, at);
  return at == std::string::npos ? "" : pair.substr(at + 1);
}

std::vector<std::string> split_words(const std::string& text, char separator) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (const std::string_view part : split(text, separator)) out.emplace_back(part);
  return out;
}

std::uint32_t number(const std::string& text) { return static_cast<std::uint32_t>(std::stoul(text)); }

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

std::vector<IpAddress> addresses_of(const std::vector<std::string>& texts) {
  std::vector<IpAddress> out;
  for (const std::string& text : texts) out.push_back(must(IpAddress::parse(text)));
  return out;
}

model::Labels labels_of(const std::vector<std::string>& entries) {
  model::Labels out;
  for (const auto& entry : entries) {
    std::string name;
    const std::string value = two(entry, ':', name);
    out[name] = value;
  }
  return out;
}

std::vector<model::Port> ports_of(const std::vector<std::string>& entries) {
  std::vector<model::Port> out;
  for (const auto& entry : entries) {
    model::Port port;
    std::string number_text;
    const std::string protocol = two(two(two(entry, ':', port.name), ':', number_text), ':', port.app_protocol);
    port.number = static_cast<std::uint16_t>(number(number_text));
    if (!protocol.empty()) port.protocol = protocol;
    out.push_back(port);
  }
  return out;
}

model::Memberships memberships_of(const std::vector<std::string>& entries) {
  model::Memberships out;
  for (const auto& entry : entries) {
    auto words = split_words(entry, '+');
    model::Membership membership;
    std::string name = words.at(0);
    words.erase(words.begin());
    membership.not_ready_too = name.ends_with('!');
    if (membership.not_ready_too) name.pop_back();
    membership.hostname = two(name, '/', membership.service);
    membership.ports = ports_of(words);
    out.push_back(std::move(membership));
  }
  return out;
}

std::map<std::string, Duration> distances_of(const std::vector<std::string>& entries) {
  std::map<std::string, Duration> out;
  for (const auto& entry : entries) {
    std::string to;
    const std::string far = two(entry, ':', to);
    out[to] = must(parse_duration(far));
  }
  return out;
}

model::Cluster cluster_of(const Command& command) {
  model::Cluster cluster;
  cluster.meta.name = command.words.at(1);
  cluster.locality = locality_of(command);
  cluster.distances = distances_of(command.list("distance"));
  cluster.client_prefixes = prefixes_of(command, "clients");
  if (command.options.contains("allowed")) cluster.allowed_prefixes = prefixes_of(command, "allowed");
  for (const auto& entry : command.list("gateways")) cluster.gateways.push_back(gateway_of(entry));
  return cluster;
}

model::VirtualDestination destination_of(const Command& command) {
  model::VirtualDestination object;
  object.meta = meta_of(command);
  object.hosts = command.list("hosts");
  object.policy = policy_of(command);
  object.services = services_of(command);
  object.ports = mapping_of(command.list("ports"));
  object.external_endpoints = external_of(command);
  return object;
}

model::Override override_of(const Command& command, TimePoint now) {
  model::Override out;
  out.meta.name = command.words.at(1);
  if (command.has_word("local")) out.meta.manager = topology::kLocalManager;
  out.meta.created = now.time_since_epoch() / 1s;
  const auto action = model::action_named(command.words.at(2));
  if (!action) throw std::runtime_error("no such action");
  out.action = *action;
  for (const auto& [kind, name] : command.options) {
    if (const auto target = model::parse_target(kind + "=" + name)) out.target = *target;
  }
  out.author = command.option("author");
  out.reason = command.option("reason", "test");
  std::ranges::replace(out.reason, '_', ' ');
  if (command.options.contains("for")) {
    out.expires = (now + must(parse_duration(command.option("for")))).time_since_epoch() / 1s;
  }
  return out;
}

}  // namespace meshdns::test
