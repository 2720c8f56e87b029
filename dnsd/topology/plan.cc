#include "dnsd/topology/plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/lookup.h"
#include "common/model/memberships.h"
#include "common/net/socket_address.h"
#include "dnsd/topology/host_part.h"
#include "dnsd/topology/matching.h"
#include "dnsd/topology/ports.h"
#include "dnsd/topology/slow_start.h"

namespace meshdns::topology {
namespace {

// An endpoint that is silent for longer is no longer known: it does not count in the health of its tier.
constexpr Duration kKnownWhileSilent = 10min;

Standing standing_of(const model::Endpoint& endpoint, const model::NodeStatus* status, bool not_ready_too) {
  switch (not_ready_too ? model::HealthState::Serving : endpoint.health.state) {
    case model::HealthState::Pending: return Standing::Out;
    case model::HealthState::Draining: return is_silent(endpoint, status) ? Standing::Silent : Standing::Draining;
    case model::HealthState::Failing: return Standing::Failing;
    case model::HealthState::Serving: break;
  }
  return is_silent(endpoint, status) ? Standing::Silent : Standing::Serving;
}

/// Returns why nobody can tell whether the endpoint lives; empty = its agent is heard and checks it.
std::string unheard_text(const model::Endpoint& endpoint, const model::NodeStatus* status) {
  if (status != nullptr && (status->silent || status->in_doubt)) return "its agent is not heard";
  if (!endpoint.unwatched) return "";
  if (status == nullptr || status->problem.empty()) return "its agent does not check it";
  return endpoint.node.substr(endpoint.node.find('/') + 1) + " " + status->problem;
}

std::string why_of(const model::Endpoint& endpoint, const model::NodeStatus* status, bool not_ready_too) {
  const model::Health& health = endpoint.health;
  if (const std::string unheard = unheard_text(endpoint, status);
      !unheard.empty() && health.state != model::HealthState::Failing) {
    if (status == nullptr || status->held.empty()) return unheard;
    return unheard + (status->silent ? ", its removal held by the " : ", held by the ") + status->held + " brake";
  }
  std::string why = health.detail;
  if (not_ready_too && health.state != model::HealthState::Serving) {
    return "published while not ready" + (why.empty() ? "" : ": " + why);
  }
  if (health.streak > 0 && health.needed > 0) {
    const bool failing = health.state == model::HealthState::Failing;
    why += (why.empty() ? "" : ", ") + std::to_string(health.streak) + " of " + std::to_string(health.needed) +
           (failing ? " successes" : " failures");
  }
  return why;
}

/// Takes away the addresses that belong to another endpoint or node now. A candidate that loses all of them is out, and
/// keeps the addresses only to be shown.
void leave_lost_addresses(const PlanContext& context, const model::Endpoint& endpoint, Candidate& candidate) {
  const auto owner_of = [&](const std::optional<IpAddress>& address) {
    return address ? context.claims.owner_instead(endpoint, *address) : std::string();
  };
  const std::string owner4 = owner_of(candidate.v4);
  const std::string owner6 = owner_of(candidate.v6);
  if (owner4.empty() && owner6.empty()) return;
  const IpAddress& lost = owner4.empty() ? *candidate.v6 : *candidate.v4;
  candidate.why = lost.text() + " belongs to " + (owner4.empty() ? owner6 : owner4);
  const bool keeps_one = (candidate.v4 && owner4.empty()) || (candidate.v6 && owner6.empty());
  if (!keeps_one) {
    candidate.displaced = true;
    candidate.standing = Standing::Out;
    candidate.known = false;
    return;
  }
  (owner4.empty() ? candidate.v6 : candidate.v4).reset();
}

/// Puts a candidate without an address out: nothing of it is answered, and it has no name. Such an endpoint is refused
/// before it gets here.
void set_unusable(Candidate& candidate) {
  candidate.displaced = true;
  candidate.standing = Standing::Out;
  candidate.known = false;
  candidate.why = "has no address";
}

void take_addresses(Candidate& candidate, const std::vector<IpAddress>& addresses) {
  candidate.v4 = model::first_of(addresses, Family::V4);
  candidate.v6 = model::first_of(addresses, Family::V6);
}

/// Takes away the address whose family fails its own checks. The only address of an endpoint stays.
void take_out(Candidate& candidate, const model::Health& health) {
  if (!candidate.v4 || !candidate.v6) return;
  if (health.v4) {
    candidate.out = std::exchange(candidate.v4, std::nullopt);
  } else if (health.v6) {
    candidate.out = std::exchange(candidate.v6, std::nullopt);
  }
}

/// Returns the addresses of each endpoint that an external endpoint stands for. A hostname stands for several
/// endpoints: the n-th has the n-th IPv4 and the n-th IPv6 address.
/// returns: empty = the hostname was never resolved
std::vector<std::vector<IpAddress>> external_addresses(const model::Records& records,
                                                       const model::ExternalEndpoint& external) {
  if (external.hostname.empty()) return {{external.address}};
  const auto known = records.external_names.find(external.hostname);
  if (known == records.external_names.end()) return {};
  std::vector<std::vector<IpAddress>> out;
  std::size_t v4 = 0, v6 = 0;
  for (const IpAddress& address : known->second.addresses) {
    const std::size_t at = address.is_v4() ? v4++ : v6++;
    if (at == out.size()) out.emplace_back();
    out[at].push_back(address);
  }
  return out;
}

Candidate external_candidate(const PlanContext& context, const HostPlan& host, const model::ExternalEndpoint& external,
                             const std::vector<IpAddress>& addresses) {
  Candidate out;
  const std::string address = SocketAddress{addresses.front(), external.port}.text();
  out.key = "external " + address;
  out.why = "external";
  std::string target = out.key;  // the name by which overrides find the endpoint
  if (!external.hostname.empty()) {
    out.key += " " + external.hostname;
    out.why += " " + external.hostname;
    target = out.why + ":" + std::to_string(external.port);  // the addresses may change
  }
  take_addresses(out, addresses);
  out.port = external.port;
  out.ports.assign(host.ports.size(), 0);
  if (host.ports.size() == 1) out.ports.front() = external.port;
  out.locality = external.locality;
  out.weight = external.weight;
  static const std::string kNothing;
  const model::TargetSubject subject{target, kNothing, kNothing, kNothing, out.locality, addresses, out.port};
  if (const auto* word = word_for(context.overrides, subject)) obey(*word, out);
  return out;
}

void add_with_own_ports(const PlanContext& context, const std::vector<const model::Endpoint*>& endpoints,
                        const HostPart& part, HostPlan& host) {
  NamedPorts named(endpoints, part);
  for (const model::Endpoint* endpoint : endpoints) {
    Candidate candidate = part.candidate_of(context, *endpoint);
    candidate.ports = named.numbers_of(*endpoint);
    host.candidates.push_back(std::move(candidate));
  }
  host.ports = named.take();
  host.refused_ports = named.refused();
}

/// Returns, for each port of a host, whether the endpoint's node redirects the port's number to the endpoint's port.
/// returns: empty = it redirects nothing
std::vector<bool> mapped_at(const model::Endpoint& endpoint, const std::vector<HostPort>& ports,
                            const std::vector<std::uint16_t>& numbers) {
  if (endpoint.mapped.empty()) return {};
  std::vector<bool> out;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    out.push_back(std::ranges::any_of(endpoint.mapped, [&](const model::MappedPort& mapped) {
      return mapped.problem.empty() && mapped.protocol == ports[i].protocol && mapped.number == ports[i].number &&
             mapped.target == numbers[i];
    }));
  }
  return out;
}

void add_with_mapping(const PlanContext& context, const std::vector<const model::Endpoint*>& endpoints,
                      const model::VirtualDestination& object, HostPlan& host) {
  const HostPart part(context.records, object);
  MappedPorts mapped(object.ports, part);
  for (const model::Endpoint* endpoint : endpoints) {
    Candidate candidate = part.candidate_of(context, *endpoint);
    candidate.ports = mapped.numbers_of(*endpoint);
    if (!candidate.ports.empty() && candidate.ports.front() != 0) candidate.port = candidate.ports.front();
    candidate.mapped = mapped_at(*endpoint, mapped.ports(), candidate.ports);
    host.candidates.push_back(std::move(candidate));
  }
  host.ports = mapped.take();
}

/// Returns the index of the first priority group that an endpoint belongs to; groups.size() = it belongs to none.
std::uint8_t group_of(const std::vector<model::Labels>& groups, const model::Labels& labels) {
  const auto found = std::ranges::find_if(groups, [&](const auto& group) { return has_labels(labels, group); });
  return static_cast<std::uint8_t>(found - groups.begin());
}

/// Returns when the next silent endpoint stops being known. Only spill asks: otherwise the plan does not depend on it.
std::optional<TimePoint> next_forgotten(const HostPlan& host) {
  std::optional<TimePoint> next;
  if (!host.policy.spill) return next;
  for (const Candidate& candidate : host.candidates) {
    if (candidate.standing != Standing::Silent || !candidate.known) continue;
    // the limit itself still counts as known: without the 1 ms the plan would be the same again at that time
    const TimePoint then = candidate.since + kKnownWhileSilent + 1ms;
    next = std::min(next.value_or(then), then);
  }
  return next;
}

/// Sets the parts of a host that depend on the time, and when they change next.
void settle_time(HostPlan& host, TimePoint now) {
  host.changes_at = set_slow_start(host, now);
  const auto forgotten = next_forgotten(host);
  if (forgotten) host.changes_at = std::min(host.changes_at.value_or(*forgotten), *forgotten);
}

}  // namespace

Candidate candidate_of(const PlanContext& context, const model::Endpoint& endpoint, bool not_ready_too) {
  const model::NodeStatus* status = model::status_of(context.records, endpoint.node);
  Candidate out;
  out.key = endpoint.key;
  take_addresses(out, endpoint.addresses);
  if (!not_ready_too) take_out(out, endpoint.health);
  out.port = first_port(endpoint);
  out.locality = locality_of(context.records, endpoint.node);
  out.weight = endpoint.weight;
  out.standing = standing_of(endpoint, status, not_ready_too);
  out.in_doubt = endpoint.health.in_doubt || endpoint.unwatched || (status != nullptr && status->in_doubt);
  out.why = why_of(endpoint, status, not_ready_too);
  const bool silent = out.standing == Standing::Silent;
  out.since = silent ? status->since : endpoint.health.since;
  // an endpoint that is leaving on purpose is not missed: a rollout must not spill load to farther tiers
  const bool leaving = !not_ready_too && (endpoint.health.state == model::HealthState::Draining ||
                                          endpoint.health.state == model::HealthState::Pending);
  out.known = !leaving && (!silent || context.now - status->since <= kKnownWhileSilent);
  if (const auto* word = word_for(context.overrides, subject_of(endpoint, out.locality))) obey(*word, out);
  leave_lost_addresses(context, endpoint, out);
  if (endpoint.addresses.empty()) set_unusable(out);
  return out;
}

bool is_silent(const model::Endpoint& endpoint, const model::NodeStatus* status) {
  return status != nullptr && (status->silent || (status->unwatched && endpoint.unwatched));
}

Standing standing_of(const PlanContext& context, const model::Endpoint& endpoint, bool not_ready_too) {
  Candidate out;
  out.standing = standing_of(endpoint, model::status_of(context.records, endpoint.node), not_ready_too);
  take_addresses(out, endpoint.addresses);
  leave_lost_addresses(context, endpoint, out);
  if (context.overrides.empty() || out.displaced) return out.standing;
  const model::Locality place = locality_of(context.records, endpoint.node);
  if (const auto* word = word_for(context.overrides, subject_of(endpoint, place))) obey(*word, out);
  return out.standing;
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
  if (!same_name(endpoint.namespace_, wanted)) return false;
  if (!selector.name.empty() && !model::belongs_to(endpoint, selector.name)) return false;
  return has_labels(endpoint.labels, selector.match_labels) &&
         std::ranges::all_of(selector.match_expressions,
                             [&](const auto& expression) { return expression.holds(endpoint.labels); });
}

bool selects_cluster(const model::ServiceSelector& selector, const std::string& cluster) {
  return selector.clusters.empty() ||
         std::ranges::any_of(selector.clusters, [&](const std::string& name) { return same_name(name, cluster); });
}

HostPlan plan_service(const PlanContext& context, const std::string& service,
                      const std::vector<const model::Endpoint*>& endpoints) {
  HostPlan host;
  add_with_own_ports(context, endpoints, HostPart(service), host);
  settle_time(host, context.now);
  return host;
}

HostPlan plan_object(const PlanContext& context, const model::VirtualDestination& object,
                     const std::vector<const model::Endpoint*>& endpoints) {
  HostPlan host;
  host.object = object.meta.key();
  host.policy = object.policy;
  if (object.ports.empty()) {
    add_with_own_ports(context, endpoints, HostPart(context.records, object), host);
  } else {
    add_with_mapping(context, endpoints, object, host);
  }
  const auto& groups = object.policy.priority_groups;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    host.candidates[i].group = group_of(groups, endpoints[i]->labels);
  }
  for (const auto& external : object.external_endpoints) {
    for (const auto& addresses : external_addresses(context.records, external)) {
      Candidate candidate = external_candidate(context, host, external, addresses);
      candidate.group = static_cast<std::uint8_t>(groups.size());
      host.candidates.push_back(std::move(candidate));
    }
  }
  settle_time(host, context.now);
  return host;
}

}  // namespace meshdns::topology
