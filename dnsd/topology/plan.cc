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
  if (status != nullptr && health.state != model::HealthState::Failing) {
    const std::string unheard = "its agent is not heard";
    if (status->held.empty()) return unheard;
    return unheard + (status->silent ? ", its removal held by the " : ", held by the ") + status->held + " brake";
  }
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

/// The ports of a host without port mapping: those that its endpoints name. The first that states an application
/// protocol is believed.
std::vector<HostPort> named_ports(const std::vector<const model::Endpoint*>& endpoints) {
  std::vector<HostPort> ports;
  for (const model::Endpoint* endpoint : endpoints) {
    for (const model::Port& port : endpoint->ports) {
      if (!is_ldh_label(port.name)) continue;
      const auto known = std::ranges::find_if(
          ports, [&](const HostPort& entry) { return entry.name == port.name && entry.protocol == port.protocol; });
      if (known == ports.end()) {
        ports.push_back({port.name, port.protocol, 0, port.app_protocol});
      } else if (known->app_protocol.empty()) {
        known->app_protocol = port.app_protocol;
      }
    }
  }
  return ports;
}

/// What the mapping states, else the first endpoint whose port it leads to.
std::string app_protocol_of(const model::PortMapping& port, const std::vector<const model::Endpoint*>& endpoints) {
  if (!port.app_protocol.empty()) return port.app_protocol;
  for (const model::Endpoint* endpoint : endpoints) {
    const std::uint16_t number = target_number(port, endpoint->ports);
    const auto own = std::ranges::find_if(endpoint->ports, [&](const model::Port& entry) {
      return entry.number == number && entry.protocol == port.protocol && !entry.app_protocol.empty();
    });
    if (own != endpoint->ports.end()) return own->app_protocol;
  }
  return "";
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
  for (const model::PortMapping& port : object.ports) {
    host.ports.push_back({port.name, port.protocol, port.number, app_protocol_of(port, endpoints)});
  }
  for (const model::Endpoint* endpoint : endpoints) {
    Candidate candidate = candidate_of(records, *endpoint);
    for (const model::PortMapping& port : object.ports) candidate.ports.push_back(target_number(port, endpoint->ports));
    if (!candidate.ports.empty() && candidate.ports.front() != 0) candidate.port = candidate.ports.front();
    host.candidates.push_back(std::move(candidate));
  }
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

std::string zone_of(const std::vector<std::string>& zones, const std::string& host) {
  std::string best;
  for (const std::string& zone : zones) {
    if (host == zone) return "";
    if (host.size() > zone.size() + 1 && host.ends_with("." + zone) && zone.size() > best.size()) best = zone;
  }
  return best;
}

bool selects(const model::ServiceSelector& selector, const std::string& own_namespace,
             const model::Endpoint& endpoint) {
  const std::string& wanted = selector.namespace_.empty() ? own_namespace : selector.namespace_;
  if (endpoint.namespace_ != wanted) return false;
  if (!selector.name.empty() && endpoint.service != selector.name) return false;
  return std::ranges::all_of(selector.match_labels, [&](const auto& label) {
    const auto found = endpoint.labels.find(label.first);
    return found != endpoint.labels.end() && found->second == label.second;
  });
}

bool selects_cluster(const model::ServiceSelector& selector, const std::string& cluster) {
  return selector.clusters.empty() || std::ranges::find(selector.clusters, cluster) != selector.clusters.end();
}

HostPlan plan_service(const model::Records& records, const std::vector<const model::Endpoint*>& endpoints) {
  HostPlan host;
  add_with_own_ports(records, endpoints, host);
  return host;
}

HostPlan plan_object(const model::Records& records, const model::VirtualDestination& object,
                     const std::vector<const model::Endpoint*>& endpoints) {
  HostPlan host;
  host.object = object.meta.key();
  host.policy = object.policy;
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

}  // namespace meshdns::topology
