#include "dnsd/catalog/validate.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/model/host_name.h"
#include "common/model/limits.h"

namespace meshdns::catalog {
namespace {

using Problem = std::optional<std::string>;

Problem address_problem(const std::vector<IpAddress>& addresses, std::size_t most, Loopback loopback) {
  if (addresses.size() > most) return "more than " + std::to_string(most) + " addresses";
  for (const IpAddress& address : addresses) {
    if (auto problem = not_answerable(address, loopback)) return problem;
  }
  return std::nullopt;
}

/// Returns the problem of a short text that is compared or used as a name; nothing = none.
Problem text_problem(const std::string& text, std::size_t longest = model::kLongestText) {
  if (text.size() > longest) return "longer than " + std::to_string(longest) + " bytes";
  if (std::ranges::any_of(text, is_control)) return "has control characters";
  return std::nullopt;
}

std::string no_label(const std::string& value) { return in_quotes(value) + " is no DNS label"; }

Problem port_name_problem(const model::Ports& ports, const model::Port& port) {
  if (!port.name.empty() && !is_ldh_label(port.name)) return no_label(port.name);
  if (ports.size() > 1 && port.name.empty()) return "needed where there are several ports";
  return std::nullopt;
}

/// Checks the ports of an endpoint, or of one of its memberships.
/// list: the name of the list: "ports"
std::optional<Refusal> check_ports(const std::string& key, const std::string& list, const model::Ports& ports) {
  if (ports.size() > model::kMostPorts) {
    return Refusal{key, list, "more than " + std::to_string(model::kMostPorts)};
  }
  std::set<std::pair<std::string, std::string_view>> names;  // with their protocols: _sip._tcp and _sip._udp
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const model::Port& port = ports[i];
    const auto refuse = [&](const char* field, std::string reason) {
      return Refusal{key, list + "[" + std::to_string(i) + "]." + field, std::move(reason)};
    };
    if (port.number == 0) return refuse("number", "must be 1 to 65535");
    if (auto problem = port_name_problem(ports, port)) return refuse("name", *std::move(problem));
    if (!names.emplace(ascii_lower(port.name), port.protocol).second) return refuse("name", "used twice");
    if (port.protocol != "TCP" && port.protocol != "UDP") return refuse("protocol", "must be TCP or UDP");
    if (auto problem = text_problem(port.app_protocol)) return refuse("app_protocol", *std::move(problem));
  }
  return std::nullopt;
}

std::optional<Refusal> check_memberships(const model::Endpoint& endpoint) {
  const model::Memberships& all = endpoint.memberships;
  if (all.size() > model::kMostMemberships) {
    return Refusal{endpoint.key, "memberships", "more than " + std::to_string(model::kMostMemberships)};
  }
  std::size_t ports = 0;
  std::string before;  // the name of the service before, in lower case
  for (std::size_t i = 0; i < all.size(); ++i) {
    const model::Membership& each = all[i];
    const std::string path = "memberships[" + std::to_string(i) + "]";
    if (!is_ldh_label(each.service)) return Refusal{endpoint.key, path + ".service", no_label(each.service)};
    if (!each.hostname.empty() && !is_ldh_label(each.hostname)) {
      return Refusal{endpoint.key, path + ".hostname", no_label(each.hostname)};
    }
    std::string name = ascii_lower(each.service);
    if (name <= before) return Refusal{endpoint.key, path + ".service", "must be in order, each service once"};
    before = std::move(name);
    if (auto refusal = check_ports(endpoint.key, path + ".ports", each.ports)) return refusal;
    ports += each.ports.size();
  }
  if (ports <= model::kMostMembershipPorts) return std::nullopt;
  return Refusal{endpoint.key, "memberships", "more than " + std::to_string(model::kMostMembershipPorts) + " ports"};
}

std::optional<Refusal> check_mapped(const model::Endpoint& endpoint) {
  if (endpoint.mapped.size() > model::kMostPorts) {
    return Refusal{endpoint.key, "mapped", "more than " + std::to_string(model::kMostPorts)};
  }
  for (const model::MappedPort& port : endpoint.mapped) {
    if (port.number == 0 || port.target == 0) return Refusal{endpoint.key, "mapped", "a port must be 1 to 65535"};
    if (port.protocol != "TCP" && port.protocol != "UDP") {
      return Refusal{endpoint.key, "mapped", "protocol must be TCP or UDP"};
    }
    if (auto problem = text_problem(port.problem)) return Refusal{endpoint.key, "mapped", *std::move(problem)};
  }
  return std::nullopt;
}

std::optional<Refusal> check_labels(const model::Endpoint& endpoint) {
  if (endpoint.labels.size() > model::kMostLabels) {
    return Refusal{endpoint.key, "labels", "more than " + std::to_string(model::kMostLabels)};
  }
  for (const auto& [name, value] : endpoint.labels) {
    if (name.empty()) return Refusal{endpoint.key, "labels", "a name is empty"};
    for (const std::string* text : {&name, &value}) {
      if (auto problem = text_problem(*text))
        return Refusal{endpoint.key, "labels", in_quotes(*text) + ": " + *problem};
    }
  }
  return std::nullopt;
}

/// Returns the problem of an endpoint's key, which has to begin with its node's key; nothing = none.
Problem key_problem(const model::Endpoint& endpoint) {
  if (auto problem = text_problem(endpoint.key, model::kLongestKey)) return problem;
  if (!model::is_node_key(endpoint.node)) return in_quotes(endpoint.node) + " is no cluster/node";
  const std::string& key = endpoint.key;
  const bool of_node =
      key.size() > endpoint.node.size() + 1 && key.starts_with(endpoint.node) && key[endpoint.node.size()] == '/';
  if (!of_node) return in_quotes(key) + " is no key of node " + endpoint.node;
  return std::nullopt;
}

Problem part_problem(const model::Locality& place, model::Part part) {
  const std::string& value = place.part(part);
  if (part == model::Part::Node) {
    return model::is_node_name(value) ? Problem() : in_quotes(value) + " is no host name (RFC 1123)";
  }
  if (value.empty() && part != model::Part::Cluster) return std::nullopt;
  return is_ldh_label(value) ? Problem() : no_label(value);
}

}  // namespace

std::string in_quotes(std::string_view value) {
  constexpr std::size_t kLongest = 64;
  std::string out(utf8_prefix(value, kLongest));
  std::ranges::replace_if(out, is_control, '?');
  return "\"" + out + (value.size() > kLongest ? "...\"" : "\"");
}

std::string refusal_text(const Refusal& refusal) {
  return refusal.field.empty() ? refusal.reason : refusal.field + ": " + refusal.reason;
}

std::optional<Refusal> check(const model::Endpoint& endpoint, Loopback loopback) {
  const auto refuse = [&](std::string field, std::string reason) {
    return Refusal{endpoint.key, std::move(field), std::move(reason)};
  };
  if (const auto problem = key_problem(endpoint)) return refuse("key", *problem);
  if (!endpoint.service.empty() && !is_ldh_label(endpoint.service))
    return refuse("service", no_label(endpoint.service));
  if (!is_ldh_label(endpoint.namespace_)) return refuse("namespace", no_label(endpoint.namespace_));
  if (const auto problem = text_problem(endpoint.uid)) return refuse("uid", *problem);
  if (const auto problem = text_problem(endpoint.source)) return refuse("source", *problem);
  if (endpoint.addresses.empty()) return refuse("addresses", "at least one address is needed");
  if (const auto problem = address_problem(endpoint.addresses, model::kMostAddresses, loopback)) {
    return refuse("addresses", *problem);
  }
  if (endpoint.weight > model::kMostWeight) return refuse("weight", "must be 0 to 65535");
  if (endpoint.health.v4 && endpoint.health.v6) return refuse("health", "neither family is answered");
  if (endpoint.health.detail.size() > model::kLongestDetail) return refuse("health.detail", "longer than 1024 bytes");
  if (auto refusal = check_ports(endpoint.key, "ports", endpoint.ports)) return refusal;
  if (auto refusal = check_memberships(endpoint)) return refusal;
  if (auto refusal = check_mapped(endpoint)) return refusal;
  return check_labels(endpoint);
}

std::optional<Refusal> check(const model::Node& node, Loopback loopback) {
  for (const model::Part part : model::kParts) {
    if (const auto problem = part_problem(node.locality, part)) {
      return Refusal{node.key, "locality." + std::string(part_name(part)), *problem};
    }
  }
  if (node.key != node.locality.cluster + "/" + node.locality.node) {
    return Refusal{node.key, "key", in_quotes(node.key) + " is not of this node"};
  }
  if (const auto problem = address_problem(node.addresses, model::kMostAddresses, loopback)) {
    return Refusal{node.key, "addresses", *problem};
  }
  if (node.prefixes.size() > model::kMostPrefixes) {
    return Refusal{node.key, "prefixes", "more than " + std::to_string(model::kMostPrefixes)};
  }
  return std::nullopt;
}

std::optional<Refusal> check(const std::string& node, const model::NodeStatus& status) {
  if (!model::is_node_key(node)) return Refusal{node, "key", in_quotes(node) + " is no cluster/node"};
  if (status.held.size() > model::kLongestText) return Refusal{node, "held", "longer than 253 bytes"};
  if (status.problem.size() > model::kLongestDetail) return Refusal{node, "problem", "longer than 1024 bytes"};
  return std::nullopt;
}

std::optional<Refusal> check(const model::ServiceKey& service) {
  const std::string key = service.namespace_ + "/" + service.name;
  if (!is_ldh_label(service.namespace_)) return Refusal{key, "namespace", no_label(service.namespace_)};
  if (!is_ldh_label(service.name)) return Refusal{key, "name", no_label(service.name)};
  return std::nullopt;
}

std::optional<Refusal> check(const std::string& cluster, const model::ClusterStatus& status) {
  if (!is_ldh_label(cluster)) return Refusal{cluster, "key", no_label(cluster)};
  if (status.distances.size() > model::kMostMeasured || status.gateways_down.size() > model::kMostMeasured) {
    return Refusal{cluster, "distances", "more than " + std::to_string(model::kMostMeasured)};
  }
  for (const auto& [other, distance] : status.distances) {
    if (!is_ldh_label(other)) return Refusal{cluster, "distances", no_label(other)};
    if (distance < Duration::zero()) return Refusal{cluster, "distances", in_quotes(other) + " is negative"};
  }
  return std::nullopt;
}

std::optional<Refusal> check(const std::string& hostname, const model::ExternalName& name, Loopback loopback) {
  if (!model::is_host_name(hostname) || hostname != model::host_key(hostname)) {
    return Refusal{hostname, "key", in_quotes(hostname) + " is no host name in lower case"};
  }
  if (name.addresses.empty()) return Refusal{hostname, "addresses", "at least one address is needed"};
  if (const auto problem = address_problem(name.addresses, model::kMostResolved, loopback)) {
    return Refusal{hostname, "addresses", *problem};
  }
  return std::nullopt;
}

std::optional<Refusal> check(const model::VirtualDestination& object, Loopback loopback) {
  for (std::size_t i = 0; i < object.external_endpoints.size(); ++i) {
    const model::ExternalEndpoint& external = object.external_endpoints[i];
    if (!external.hostname.empty()) continue;
    if (const auto problem = not_answerable(external.address, loopback)) {
      return Refusal{object.meta.key(), "spec.externalEndpoints[" + std::to_string(i) + "].address", *problem};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check(const model::Cluster& object, Loopback loopback) {
  for (std::size_t i = 0; i < object.gateways.size(); ++i) {
    if (const auto problem = not_answerable(object.gateways[i].address, loopback)) {
      return Refusal{object.meta.key(), "spec.gateways[" + std::to_string(i) + "].address", *problem};
    }
  }
  return std::nullopt;
}

}  // namespace meshdns::catalog
