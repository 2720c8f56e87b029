#include "common/convert/object_convert.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "common/base/text.h"
#include "common/convert/first_error.h"
#include "common/convert/report_convert.h"
#include "common/model/host_name.h"

namespace meshdns::convert {
namespace {

using Spec = v1::VirtualDestinationSpec;

constexpr std::uint32_t kMostPort = 65535;
constexpr std::uint32_t kMostWeight = 65535;
constexpr Duration kLongestTtl = 300s;

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

bool is_label_or_empty(const std::string& text) { return text.empty() || is_ldh_label(text); }

bool is_port(std::uint64_t number) { return number >= 1 && number <= kMostPort; }

bool is_port_or_name(const std::string& text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? is_port(parse_uint(text).value_or(0)) : is_ldh_label(text);
}

void check_locality(const model::Locality& locality, const std::string& field, FirstError& first) {
  for (const auto part : model::kParts) {
    first.expect(is_label_or_empty(locality.part(part)), fmt::format("{}.{}", field, model::part_name(part)),
                 "expected letters, digits and hyphens");
  }
}

void check_head(const v1::Object& object, std::string_view kind, FirstError& first) {
  first.expect(object.api_version() == "meshdns.io/v1alpha1", "apiVersion", "expected meshdns.io/v1alpha1");
  first.expect(object.kind() == kind, "kind", fmt::format("expected {} (got {})", kind, object.kind()));
  first.expect(model::is_host_name(object.metadata().name()), "metadata.name", "expected a DNS name");
}

/// Refuses what does not fit before it is counted in nanoseconds.
Result<Duration> to_duration(const google::protobuf::Duration& from) {
  constexpr std::int64_t kLongestSeconds = 86400;
  if (from.seconds() < 0 || from.seconds() > kLongestSeconds || from.nanos() < 0 || from.nanos() > 999'999'999) {
    return Error(Code::InvalidArgument, "expected a duration between 0s and 1d");
  }
  return from_wire(from);
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

model::ServiceSelector to_selector(const Spec::Service& from, const std::string& field, FirstError& first) {
  first.expect(is_label_or_empty(from.namespace_()), field + ".namespace", "expected letters, digits and hyphens");
  first.expect(is_label_or_empty(from.name()), field + ".name", "expected letters, digits and hyphens");
  first.not_yet(!from.match_expressions().empty(), field + ".matchExpressions");
  model::ServiceSelector out;
  out.namespace_ = from.namespace_();
  out.name = from.name();
  out.clusters.assign(from.clusters().begin(), from.clusters().end());
  out.match_labels.insert(from.match_labels().begin(), from.match_labels().end());
  return out;
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
  return out;
}

void check_port_names(const std::vector<model::PortMapping>& ports, FirstError& first) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const std::string field = fmt::format("spec.ports[{}].name", i);
    first.expect(ports.size() == 1 || !ports[i].name.empty(), field, "needed where there are several");
    first.expect(seen.insert(ports[i].name).second, field, "given twice");
  }
}

model::ExternalEndpoint to_external(const Spec::ExternalEndpoint& from, const std::string& field, FirstError& first) {
  first.not_yet(!from.hostname().empty(), field + ".hostname");
  first.expect(is_port(from.port()), field + ".port", fmt::format("expected 1-65535 (got {})", from.port()));
  model::ExternalEndpoint out;
  out.address = first.take(IpAddress::parse(from.address()), field + ".address");
  out.port = static_cast<std::uint16_t>(from.port());
  out.locality = to_locality(from.locality());
  check_locality(out.locality, field + ".locality", first);
  if (from.has_weight()) out.weight = from.weight();
  first.expect(out.weight <= kMostWeight, field + ".weight", fmt::format("expected 0-65535 (got {})", out.weight));
  return out;
}

void check_not_yet(const Spec::Policy& policy, FirstError& first) {
  first.not_yet(policy.has_fence(), "spec.policy.fence");
  first.not_yet(!policy.failover().empty(), "spec.policy.failover");
  first.not_yet(!policy.priority_groups().empty(), "spec.policy.priorityGroups");
  first.not_yet(!policy.distribute().empty(), "spec.policy.distribute");
  first.not_yet(policy.has_spill(), "spec.policy.spill");
  first.not_yet(!policy.slow_start().empty() && policy.slow_start() != "off", "spec.policy.slowStart");
}

model::Ladder to_ladder(const Spec::Policy& policy, FirstError& first) {
  if (policy.ladder().empty()) return model::default_ladder();
  model::Ladder out;
  std::set<std::string> seen;
  for (int i = 0; i < policy.ladder_size(); ++i) {
    const std::string field = fmt::format("spec.policy.ladder[{}]", i);
    out.push_back(first.take(model::parse_rung(policy.ladder(i)), field));
    first.expect(seen.insert(policy.ladder(i)).second, field, "given twice");
  }
  return out;
}

void to_ttls(const Spec::Policy& from, model::Policy& out, FirstError& first) {
  if (from.has_ttl()) out.ttl = first.take(to_duration(from.ttl()), "spec.policy.ttl");
  if (from.has_ttl_min()) out.ttl_min = first.take(to_duration(from.ttl_min()), "spec.policy.ttlMin");
  first.expect(out.ttl >= 1s && out.ttl <= kLongestTtl, "spec.policy.ttl", "expected 1s to 300s");
  first.expect(out.ttl_min >= 1s && out.ttl_min <= out.ttl, "spec.policy.ttlMin", "expected 1s to ttl");
}

model::Policy to_policy(const Spec::Policy& from, FirstError& first) {
  check_not_yet(from, first);
  model::Policy out;
  out.ladder = to_ladder(from, first);
  first.expect(from.families().empty() || from.families() == "together" || from.families() == "independent",
               "spec.policy.families", "expected together or independent");
  if (from.families() == "independent") out.families = model::Families::Independent;
  first.expect(from.on_empty().empty() || from.on_empty() == "LastResort" || from.on_empty() == "NoData",
               "spec.policy.onEmpty", "expected LastResort or NoData");
  if (from.on_empty() == "NoData") out.on_empty = model::OnEmpty::NoData;
  to_ttls(from, out, first);
  if (from.has_max_answers()) out.max_answers = from.max_answers();
  first.expect(out.max_answers >= 1 && out.max_answers <= 256, "spec.policy.maxAnswers", "expected 1-256");
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
  check_port_names(out.ports, first);
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
  first.not_yet(!spec.gateways().empty(), "spec.gateways");
  model::Cluster out;
  out.meta = to_meta(object.metadata());
  out.locality = cluster_locality(object, first);
  for (const auto& [other, distance] : spec.distances()) {
    const std::string field = fmt::format("spec.distances.{}", other);
    first.expect(is_ldh_label(other), field, "expected a cluster's name as the key");
    out.distances[other] = first.take(to_duration(distance), field);
  }
  out.client_prefixes = to_prefixes(spec.client_prefixes(), "spec.clientPrefixes", first);
  auto allowed = to_prefixes(spec.allowed_prefixes(), "spec.allowedPrefixes", first);
  if (!allowed.empty()) out.allowed_prefixes = std::move(allowed);
  return std::move(first).or_value(std::move(out));
}

std::string object_key(const v1::Object& object) {
  return fmt::format("{}/{}", object.kind(), to_meta(object.metadata()).key());
}

model::Locality to_locality(const v1::Locality& locality) { return with_node(locality); }
model::Locality to_locality(const v1::LocalitySelector& locality) { return without_node(locality); }
model::Locality to_locality(const config::v1::Locality& locality) { return with_node(locality); }

}  // namespace meshdns::convert
