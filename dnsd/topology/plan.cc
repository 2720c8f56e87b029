#include "dnsd/topology/plan.h"

#include <algorithm>
#include <tuple>

#include "common/base/text.h"
#include "common/net/socket_address.h"

namespace meshdns::topology {
namespace {

Standing standing_of(const model::Endpoint& endpoint, const model::NodeStatus* status) {
  switch (endpoint.health.state) {
    case model::HealthState::Pending: return Standing::Out;
    case model::HealthState::Draining:
      return status != nullptr && status->silent ? Standing::Silent : Standing::Draining;
    case model::HealthState::Failing: return Standing::Failing;
    case model::HealthState::Serving: break;
  }
  return status != nullptr && status->silent ? Standing::Silent : Standing::Serving;
}

std::string why_of(const model::Health& health, const model::NodeStatus* status) {
  if (status != nullptr && health.state != model::HealthState::Failing) return "its agent is not heard";
  std::string why = health.detail;
  if (health.streak > 0 && health.needed > 0) {
    const bool failing = health.state == model::HealthState::Failing;
    why += (why.empty() ? "" : ", ") + std::to_string(health.streak) + " of " + std::to_string(health.needed) +
           (failing ? " successes" : " failures");
  }
  return why;
}

void take_addresses(Candidate& candidate, const std::vector<IpAddress>& addresses) {
  for (const IpAddress& address : addresses) {
    auto& slot = address.is_v4() ? candidate.v4 : candidate.v6;
    if (!slot) slot = address;
  }
}

/// The number behind `target` (a number or a port's name; empty = `fallback`) at an endpoint; 0 = it has no such port.
std::uint16_t target_number(const model::PortMapping& port, const std::vector<model::Port>& own) {
  if (port.target_port.empty()) return port.number;
  if (const auto number = parse_uint(port.target_port)) return static_cast<std::uint16_t>(*number);
  const auto found = std::ranges::find(own, port.target_port, &model::Port::name);
  return found == own.end() ? std::uint16_t{0} : found->number;
}

bool selects(const model::ServiceSelector& selector, const std::string& own_namespace, const model::Endpoint& endpoint,
             const std::string& cluster) {
  const std::string& wanted = selector.namespace_.empty() ? own_namespace : selector.namespace_;
  if (endpoint.namespace_ != wanted) return false;
  if (!selector.name.empty() && endpoint.service != selector.name) return false;
  if (!selector.clusters.empty() && std::ranges::find(selector.clusters, cluster) == selector.clusters.end()) {
    return false;
  }
  return std::ranges::all_of(selector.match_labels, [&](const auto& label) {
    const auto found = endpoint.labels.find(label.first);
    return found != endpoint.labels.end() && found->second == label.second;
  });
}

Candidate external_candidate(const model::VirtualDestination& object, const model::ExternalEndpoint& external) {
  Candidate out;
  out.key = "external " + SocketAddress{external.address, external.port}.text();
  take_addresses(out, {external.address});
  out.port = external.port;
  out.ports.assign(object.ports.size(), 0);
  if (object.ports.size() == 1) out.ports.front() = external.port;
  out.locality = external.locality;
  out.weight = external.weight;
  out.why = "external";
  return out;
}

/// The ports of a host without port mapping: those that its endpoints name.
std::vector<HostPort> named_ports(const std::vector<const model::Endpoint*>& endpoints) {
  std::vector<HostPort> ports;
  for (const model::Endpoint* endpoint : endpoints) {
    for (const model::Port& port : endpoint->ports) {
      const HostPort entry{port.name, port.protocol, 0};
      if (is_ldh_label(port.name) && std::ranges::find(ports, entry) == ports.end()) ports.push_back(entry);
    }
  }
  return ports;
}

void add_with_own_ports(const model::Records& records, const std::vector<const model::Endpoint*>& endpoints,
                        HostPlan& host) {
  host.ports = named_ports(endpoints);
  for (const model::Endpoint* endpoint : endpoints) {
    Candidate candidate = candidate_of(records, *endpoint);
    for (const HostPort& port : host.ports) {
      const auto own = std::ranges::find_if(endpoint->ports, [&](const model::Port& entry) {
        return entry.name == port.name && entry.protocol == port.protocol;
      });
      candidate.ports.push_back(own == endpoint->ports.end() ? std::uint16_t{0} : own->number);
    }
    host.candidates.push_back(std::move(candidate));
  }
}

void add_with_mapping(const model::Records& records, const std::vector<const model::Endpoint*>& endpoints,
                      const model::VirtualDestination& object, HostPlan& host) {
  for (const model::PortMapping& port : object.ports) host.ports.push_back({port.name, port.protocol, port.number});
  for (const model::Endpoint* endpoint : endpoints) {
    Candidate candidate = candidate_of(records, *endpoint);
    for (const model::PortMapping& port : object.ports) candidate.ports.push_back(target_number(port, endpoint->ports));
    if (!candidate.ports.empty() && candidate.ports.front() != 0) candidate.port = candidate.ports.front();
    host.candidates.push_back(std::move(candidate));
  }
}

/// Endpoints by namespace, so that a selector looks only at its own.
using ByNamespace = std::map<std::string, std::vector<const model::Endpoint*>>;

HostPlan plan_of(const model::Records& records, const ByNamespace& by_namespace,
                 const model::VirtualDestination& object) {
  HostPlan host;
  host.object = object.meta.key();
  host.policy = object.policy;
  std::map<std::string, const model::Endpoint*> matched;  // by key: two selectors may match one endpoint
  for (const model::ServiceSelector& selector : object.services) {
    const auto& wanted = selector.namespace_.empty() ? object.meta.namespace_ : selector.namespace_;
    const auto list = by_namespace.find(wanted);
    if (list == by_namespace.end()) continue;
    for (const model::Endpoint* endpoint : list->second) {
      const auto node = records.nodes.find(endpoint->node);
      const std::string cluster = node == records.nodes.end() ? "" : node->second.locality.cluster;
      if (selects(selector, object.meta.namespace_, *endpoint, cluster)) matched.emplace(endpoint->key, endpoint);
    }
  }
  std::vector<const model::Endpoint*> endpoints;
  for (const auto& [key, endpoint] : matched) endpoints.push_back(endpoint);
  if (object.ports.empty()) {
    add_with_own_ports(records, endpoints, host);
  } else {
    add_with_mapping(records, endpoints, object, host);
  }
  for (const auto& external : object.external_endpoints) {
    host.candidates.push_back(external_candidate(object, external));
  }
  return host;
}

std::string replaced(std::string text, std::string_view word, const std::string& value) {
  const auto at = text.find(word);
  return at == std::string::npos ? text : text.replace(at, word.size(), value);
}

void add_auto_hosts(const model::Records& records, const HostNaming& naming, const ByNamespace& by_namespace,
                    std::map<std::string, HostPlan>& hosts) {
  if (naming.auto_hosts.empty()) return;
  for (const auto& [key, service] : records.services) {
    if (!is_ldh_label(key.name) || !is_ldh_label(key.namespace_)) continue;
    std::vector<const model::Endpoint*> endpoints;
    if (const auto list = by_namespace.find(key.namespace_); list != by_namespace.end()) {
      std::ranges::copy_if(list->second, std::back_inserter(endpoints),
                           [&name = key.name](const model::Endpoint* endpoint) { return endpoint->service == name; });
    }
    for (const std::string& zone : naming.zones) {
      HostPlan host;
      host.name = ascii_lower(replaced(
          replaced(replaced(naming.auto_hosts, "{service}", key.name), "{namespace}", key.namespace_), "{zone}", zone));
      if (zone_of(naming.zones, host.name) != zone) continue;
      add_with_own_ports(records, endpoints, host);
      hosts.emplace(host.name, std::move(host));
    }
  }
}

/// Objects in the order in which they may claim a host (design.md section 4, step 1).
std::vector<const model::VirtualDestination*> by_claim(const model::Records& records) {
  std::vector<const model::VirtualDestination*> objects;
  for (const auto& [key, object] : records.destinations) objects.push_back(&object);
  std::ranges::sort(objects, {}, [](const auto* object) {
    return std::make_tuple(object->meta.created, object->meta.origin, object->meta.key());
  });
  return objects;
}

}  // namespace

Candidate candidate_of(const model::Records& records, const model::Endpoint& endpoint) {
  const auto found = records.statuses.find(endpoint.node);
  const model::NodeStatus* status = found == records.statuses.end() ? nullptr : &found->second;
  Candidate out;
  out.key = endpoint.key;
  take_addresses(out, endpoint.addresses);
  out.port = endpoint.ports.empty() ? std::uint16_t{0} : endpoint.ports.front().number;
  out.locality = locality_of(records, endpoint.node);
  out.weight = endpoint.weight;
  out.standing = standing_of(endpoint, status);
  out.in_doubt = endpoint.health.in_doubt || (status != nullptr && status->in_doubt);
  out.why = why_of(endpoint.health, status);
  out.since = out.standing == Standing::Silent ? status->since : endpoint.health.since;
  return out;
}

model::Locality locality_of(const model::Records& records, const std::string& node) {
  const auto found = records.nodes.find(node);
  if (found == records.nodes.end()) return {};
  const auto cluster = records.clusters.find(found->second.locality.cluster);
  if (cluster == records.clusters.end()) return found->second.locality;
  return refined(found->second.locality, cluster->second.locality);
}

std::string zone_of(const std::vector<std::string>& zones, const std::string& host) {
  std::string best;
  for (const std::string& zone : zones) {
    if (host == zone) return "";
    if (host.size() > zone.size() + 1 && host.ends_with("." + zone) && zone.size() > best.size()) best = zone;
  }
  return best;
}

Plan plan_hosts(const model::Records& records, const HostNaming& naming,
                const std::function<bool(const std::string&)>& is_static) {
  ByNamespace by_namespace;
  for (const auto& [key, endpoint] : records.endpoints) by_namespace[endpoint.namespace_].push_back(&endpoint);
  Plan plan;
  std::map<std::string, HostPlan> hosts;
  for (const model::VirtualDestination* object : by_claim(records)) {
    const HostPlan common = plan_of(records, by_namespace, *object);
    const auto refuse = [&](const std::string& why) { plan.conflicts.push_back({common.object, why}); };
    for (const std::string& name : object->hosts) {
      HostPlan host = common;
      host.name = name;
      if (zone_of(naming.zones, name).empty()) {
        refuse("host " + name + " is below none of this server's zones");
      } else if (is_static(name)) {
        refuse("host " + name + " has static records");
      } else if (const auto taken = hosts.emplace(name, std::move(host)); !taken.second) {
        refuse("host " + name + " belongs to " + taken.first->second.object);
      }
    }
  }
  add_auto_hosts(records, naming, by_namespace, hosts);
  for (auto& [name, host] : hosts) {
    if (host.object.empty() && is_static(name)) continue;
    host.zone = zone_of(naming.zones, name);
    plan.hosts.push_back(std::move(host));
  }
  return plan;
}

}  // namespace meshdns::topology
