#include "common/convert/object_convert.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <set>

#include "common/base/text.h"
#include "common/convert/fields.h"
#include "common/convert/policy_convert.h"
#include "common/convert/report_convert.h"
#include "common/model/host_name.h"
#include "common/model/limits.h"
#include "common/net/host_address.h"
#include "common/time/time_text.h"

namespace meshdns::convert {
namespace {

using Spec = v1::VirtualDestinationSpec;

constexpr std::uint32_t kMostPort = 65535;

template <class Message>
model::Locality without_node(const Message& from) {
  return {from.network(), from.region(), from.zone(), from.subzone(), from.cluster(), ""};
}

template <class Message>
model::Locality with_node(const Message& from) {
  model::Locality out = without_node(from);
  out.node = from.node();
  return out;
}

bool is_port(std::uint64_t number) { return number >= 1 && number <= kMostPort; }

bool is_port_or_name(const std::string& text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? is_port(parse_uint(text).value_or(0)) : is_ldh_label(text);
}

void check_head(const v1::Object& object, std::string_view kind, FirstError& first) {
  first.expect(object.api_version() == "meshdns.io/v1alpha1", "apiVersion", "expected meshdns.io/v1alpha1");
  first.expect(object.kind() == kind, "kind", fmt::format("expected {} (got {})", kind, object.kind()));
  first.expect(model::is_host_name(object.metadata().name()), "metadata.name", "expected a DNS name");
  first.expect(
      object.ByteSizeLong() <= model::kMostRecordBytes, "spec",
      fmt::format("the object has {} bytes, at most {} are taken", object.ByteSizeLong(), model::kMostRecordBytes));
}

model::ObjectMeta to_meta(const v1::Metadata& from) {
  model::ObjectMeta out;
  out.name = from.name();
  out.namespace_ = from.namespace_();
  out.created = from.created();
  out.origin = from.origin();
  if (!from.manager().empty()) out.manager = from.manager();
  return out;
}

std::vector<std::string> to_hosts(const Spec& spec, FirstError& first) {
  first.expect(!spec.hosts().empty(), "spec.hosts", "at least one is needed");
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (int i = 0; i < spec.hosts_size(); ++i) {
    const std::string field = fmt::format("spec.hosts[{}]", i);
    first.expect(model::is_host_name(spec.hosts(i)), field, "expected a DNS name, without wildcard");
    out.push_back(model::host_key(spec.hosts(i)));
    first.expect(seen.insert(out.back()).second, field, "given twice");
  }
  return out;
}

model::LabelExpression to_expression(const v1::LabelExpression& from, const std::string& field, FirstError& first) {
  using enum model::LabelExpression::Operator;
  static const std::map<std::string, model::LabelExpression::Operator> kOperators = {
      {"In", In}, {"NotIn", NotIn}, {"Exists", Exists}, {"DoesNotExist", DoesNotExist}};
  model::LabelExpression out;
  const auto op = kOperators.find(from.operator_());
  first.expect(!from.key().empty(), field + ".key", "is missing");
  first.expect(op != kOperators.end(), field + ".operator", "expected one of In, NotIn, Exists, DoesNotExist");
  if (op != kOperators.end()) out.op = op->second;
  const bool lists = out.op == In || out.op == NotIn;
  first.expect(lists != from.values().empty(), field + ".values",
               lists ? "at least one is needed" : "Exists and DoesNotExist take none");
  out.key = from.key();
  out.values.assign(from.values().begin(), from.values().end());
  return out;
}

model::ServiceSelector to_selector(const Spec::Service& from, const std::string& field, FirstError& first) {
  first.expect(is_label_or_empty(from.namespace_()), field + ".namespace", "expected letters, digits and hyphens");
  first.expect(is_label_or_empty(from.name()), field + ".name", "expected letters, digits and hyphens");
  model::ServiceSelector out;
  out.namespace_ = from.namespace_();
  out.name = from.name();
  out.clusters.assign(from.clusters().begin(), from.clusters().end());
  out.match_labels.insert(from.match_labels().begin(), from.match_labels().end());
  for (const auto& expression : from.match_expressions()) {
    const auto place = fmt::format("{}.matchExpressions[{}]", field, out.match_expressions.size());
    out.match_expressions.push_back(to_expression(expression, place, first));
  }
  return out;
}

void check_app_protocol(const std::string& text, const std::string& field, FirstError& first) {
  first.expect(text.size() <= model::kLongestText, field + ".appProtocol",
               fmt::format("longer than {} characters", model::kLongestText));
}

model::PortMapping to_port(const Spec::PortSpec& from, const std::string& field, FirstError& first) {
  first.expect(is_label_or_empty(from.name()), field + ".name", "expected letters, digits and hyphens");
  first.expect(is_port(from.number()), field + ".number", fmt::format("expected 1-65535 (got {})", from.number()));
  first.expect(from.protocol().empty() || from.protocol() == "TCP" || from.protocol() == "UDP", field + ".protocol",
               "expected TCP or UDP");
  first.expect(from.target_port().empty() || is_port_or_name(from.target_port()), field + ".targetPort",
               fmt::format("expected 1-65535 or a port name (got {})", from.target_port()));
  model::PortMapping out;
  out.name = from.name();
  out.number = static_cast<std::uint16_t>(from.number());
  if (!from.protocol().empty()) out.protocol = from.protocol();
  out.target_port = from.target_port();
  out.app_protocol = from.app_protocol();
  out.map_ports = from.map_ports();
  check_app_protocol(out.app_protocol, field, first);
  return out;
}

/// Checks that port names are unique. TCP and UDP may share a name: _sip._tcp and _sip._udp.
template <class Ports>
void check_port_names(const Ports& ports, const std::string& list, FirstError& first) {
  first.expect(ports.size() <= model::kMostPorts, list, fmt::format("more than {}", model::kMostPorts));
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const std::string field = fmt::format("{}[{}].name", list, i);
    first.expect(ports.size() == 1 || !ports[i].name.empty(), field, "needed where there are several");
    first.expect(seen.emplace(ascii_lower(ports[i].name), ports[i].protocol).second, field, "given twice");
  }
}

IpAddress take_address(const std::string& text, const std::string& field, FirstError& first) {
  const auto address = IpAddress::parse(text);
  if (!address) return first.take(address, field);
  const auto problem = not_of_one_host(*address);
  first.expect(!problem, field, problem.value_or(""));
  return *address;
}

model::ExternalEndpoint to_external(const Spec::ExternalEndpoint& from, const std::string& field, FirstError& first) {
  first.expect(from.hostname().empty() != from.address().empty(), field, "needs a hostname or an address, not both");
  first.expect(is_port(from.port()), field + ".port", fmt::format("expected 1-65535 (got {})", from.port()));
  model::ExternalEndpoint out;
  if (from.hostname().empty()) {
    out.address = take_address(from.address(), field + ".address", first);
  } else {
    first.expect(model::is_host_name(from.hostname()), field + ".hostname", "expected a DNS name, without wildcard");
    out.hostname = model::host_key(from.hostname());
  }
  out.port = static_cast<std::uint16_t>(from.port());
  out.locality = to_locality(from.locality());
  check_locality(out.locality, field + ".locality", first);
  if (from.has_weight()) out.weight = from.weight();
  first.expect(out.weight <= model::kMostWeight, field + ".weight",
               fmt::format("expected 0-65535 (got {})", out.weight));
  return out;
}

std::vector<Prefix> to_prefixes(const google::protobuf::RepeatedPtrField<std::string>& texts, const std::string& field,
                                FirstError& first) {
  std::vector<Prefix> out;
  for (const auto& text : texts) {
    out.push_back(first.take(Prefix::parse(text), fmt::format("{}[{}]", field, out.size())));
  }
  return out;
}

model::Gateway to_gateway(const v1::ClusterSpec::Gateway& from, const std::string& field, FirstError& first) {
  model::Gateway out;
  out.address = take_address(from.address(), field + ".address", first);
  for (const v1::Port& port : from.ports()) {
    const auto place = fmt::format("{}.ports[{}]", field, out.ports.size());
    first.expect(is_label_or_empty(port.name()), place + ".name", "expected letters, digits and hyphens");
    first.expect(is_port(port.number()), place + ".number", fmt::format("expected 1-65535 (got {})", port.number()));
    out.ports.push_back({port.name(), static_cast<std::uint16_t>(port.number()),
                         port.protocol().empty() ? "TCP" : port.protocol(), port.app_protocol()});
    check_app_protocol(port.app_protocol(), place, first);
  }
  check_port_names(out.ports, field + ".ports", first);
  return out;
}

model::Locality cluster_locality(const v1::Object& object, FirstError& first) {
  const v1::ClusterSpec& spec = object.cluster();
  model::Locality out = to_locality(spec.locality());
  first.expect(out.cluster.empty() || out.cluster == object.metadata().name(), "spec.locality.cluster",
               "differs from metadata.name");
  out.cluster = object.metadata().name();
  first.expect(spec.network().empty() || out.network.empty() || out.network == spec.network(), "spec.network",
               "differs from spec.locality.network");
  if (!spec.network().empty()) out.network = spec.network();
  check_locality(out, "spec.locality", first);
  return out;
}

std::vector<model::OverrideTarget> targets_of(const v1::OverrideSpec::Target& from) {
  using enum model::TargetKind;
  std::vector<model::OverrideTarget> out;
  const auto add = [&](model::TargetKind kind, const std::string& name) {
    if (!name.empty()) out.push_back({kind, name});
  };
  add(Endpoint, from.endpoint());
  add(Node, from.node());
  add(Service, from.service());
  add(Zone, from.zone());
  add(Cluster, from.cluster());
  return out;
}

model::AgentRow to_agent_row(const v1::ClusterSpec::Agents& row, std::string_view field, FirstError& first) {
  first.expect(!row.nodes().empty(), fmt::format("{}.nodes", field), "is missing");
  return {{row.nodes().begin(), row.nodes().end()},
          {row.namespaces().begin(), row.namespaces().end()},
          {row.services().begin(), row.services().end()}};
}

model::NodeQuota to_node_quota(const v1::ClusterSpec::NodeQuota& quota) {
  model::NodeQuota out;
  if (quota.has_endpoints()) out.endpoints = std::min<std::size_t>(quota.endpoints(), model::kMostNodeEndpoints);
  if (quota.has_prefixes()) out.prefixes = std::min<std::size_t>(quota.prefixes(), model::kMostPrefixes);
  if (quota.has_addresses()) out.addresses = std::min<std::size_t>(quota.addresses(), model::kMostAddresses);
  return out;
}

}  // namespace

Result<model::VirtualDestination> to_virtual_destination(const v1::Object& object) {
  FirstError first;
  check_head(object, "VirtualDestination", first);
  first.expect(is_ldh_label(object.metadata().namespace_()), "metadata.namespace",
               "expected letters, digits and hyphens");
  first.expect(object.has_virtual_destination(), "spec", "is missing");
  const Spec& spec = object.virtual_destination();
  model::VirtualDestination out;
  out.meta = to_meta(object.metadata());
  out.hosts = to_hosts(spec, first);
  for (const auto& service : spec.services()) {
    out.services.push_back(to_selector(service, fmt::format("spec.services[{}]", out.services.size()), first));
  }
  for (const auto& port : spec.ports()) {
    out.ports.push_back(to_port(port, fmt::format("spec.ports[{}]", out.ports.size()), first));
  }
  check_port_names(out.ports, "spec.ports", first);
  for (const auto& external : spec.external_endpoints()) {
    const auto field = fmt::format("spec.externalEndpoints[{}]", out.external_endpoints.size());
    out.external_endpoints.push_back(to_external(external, field, first));
  }
  out.policy = to_policy(spec.policy(), first);
  return std::move(first).or_value(std::move(out));
}

Result<model::Cluster> to_cluster(const v1::Object& object) {
  FirstError first;
  check_head(object, "Cluster", first);
  first.expect(is_ldh_label(object.metadata().name()), "metadata.name", "expected letters, digits and hyphens");
  first.expect(object.metadata().namespace_().empty(), "metadata.namespace", "a Cluster has no namespace");
  first.expect(object.has_cluster(), "spec", "is missing");
  const v1::ClusterSpec& spec = object.cluster();
  model::Cluster out;
  out.meta = to_meta(object.metadata());
  out.locality = cluster_locality(object, first);
  for (const auto& gateway : spec.gateways()) {
    const auto field = fmt::format("spec.gateways[{}]", out.gateways.size());
    out.gateways.push_back(to_gateway(gateway, field, first));
  }
  for (const auto& [other, distance] : spec.distances()) {
    const std::string field = fmt::format("spec.distances.{}", other);
    first.expect(is_ldh_label(other), field, "expected a cluster's name as the key");
    out.distances[other] = first.take(to_duration(distance), field);
  }
  out.client_prefixes = to_prefixes(spec.client_prefixes(), "spec.clientPrefixes", first);
  auto allowed = to_prefixes(spec.allowed_prefixes(), "spec.allowedPrefixes", first);
  if (!allowed.empty()) out.allowed_prefixes = std::move(allowed);
  for (const auto& row : spec.agents()) {
    out.agents.push_back(to_agent_row(row, fmt::format("spec.agents[{}]", out.agents.size()), first));
  }
  if (spec.has_node_quota()) out.node_quota = to_node_quota(spec.node_quota());
  return std::move(first).or_value(std::move(out));
}

Result<model::Override> to_override(const v1::Object& object) {
  FirstError first;
  check_head(object, "Override", first);
  first.expect(object.metadata().namespace_().empty(), "metadata.namespace", "an Override has no namespace");
  first.expect(object.has_override(), "spec", "is missing");
  const v1::OverrideSpec& spec = object.override();
  model::Override out;
  out.meta = to_meta(object.metadata());
  const auto action = model::action_named(spec.action());
  first.expect(action.has_value(), "spec.action", "expected one of Up, Down, Drain, Freeze");
  out.action = action.value_or(model::Action::Drain);
  const auto targets = targets_of(spec.target());
  const std::size_t wanted = out.action == model::Action::Freeze ? 0 : 1;
  first.expect(targets.size() == wanted, "spec.target",
               wanted == 0 ? "a Freeze has none: it is for all" : "exactly one is needed");
  if (!targets.empty()) out.target = targets.front();
  first.expect(!spec.reason().empty(), "spec.reason", "is missing");
  out.reason = spec.reason();
  out.author = spec.author();
  if (!spec.expires().empty()) out.expires = first.take(parse_time(spec.expires()), "spec.expires");
  return std::move(first).or_value(std::move(out));
}

void set_target(v1::OverrideSpec& spec, std::string_view text) {
  const auto target = model::parse_target(text);
  if (!target) return;
  v1::OverrideSpec::Target& out = *spec.mutable_target();
  switch (target->kind) {
    case model::TargetKind::Endpoint: return out.set_endpoint(target->name);
    case model::TargetKind::Node: return out.set_node(target->name);
    case model::TargetKind::Service: return out.set_service(target->name);
    case model::TargetKind::Zone: return out.set_zone(target->name);
    case model::TargetKind::Cluster: return out.set_cluster(target->name);
  }
}

std::string object_key(const v1::Object& object) {
  return fmt::format("{}/{}", object.kind(), to_meta(object.metadata()).key());
}

model::Locality to_locality(const v1::Locality& locality) { return with_node(locality); }
model::Locality to_locality(const v1::LocalitySelector& locality) { return without_node(locality); }
model::Locality to_locality(const config::v1::Locality& locality) { return with_node(locality); }

}  // namespace meshdns::convert
