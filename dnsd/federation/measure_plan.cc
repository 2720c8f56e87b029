#include "dnsd/federation/measure_plan.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/convert/report_convert.h"
#include "common/model/lookup.h"

namespace meshdns::federation {
namespace {

constexpr std::size_t kInLine = 8;  // agents considered for one cluster, full ones included

using Nodes = std::vector<const model::Node*>;

/// Returns the lot of a pair; the pairs with the lowest lots are chosen (rendezvous hashing).
std::uint64_t lot(const std::string& one, const std::string& other) { return convert::record_hash(one, other); }

std::optional<std::uint16_t> tcp_port(const std::vector<model::Port>& ports) {
  const auto found = std::ranges::find(ports, "TCP", &model::Port::protocol);
  if (found == ports.end() || found->number == 0) return std::nullopt;
  return found->number;
}

std::vector<MeasuredTarget> gateways_of(const model::Cluster& cluster) {
  std::vector<MeasuredTarget> out;
  for (const model::Gateway& gateway : cluster.gateways) {
    const auto port = tcp_port(gateway.ports);
    if (!port) continue;
    const SocketAddress address{gateway.address, *port};
    out.push_back({"gateway " + cluster.meta.name + " " + address.text(), address, cluster.meta.name, true});
  }
  return out;
}

/// Returns the endpoint's first address whose family passes its checks; the first address if none does.
IpAddress address_of(const model::Endpoint& endpoint) {
  const auto found = std::ranges::find_if(
      endpoint.addresses, [&](const IpAddress& address) { return !endpoint.health.out(address.family()); });
  return found == endpoint.addresses.end() ? endpoint.addresses.front() : *found;
}

/// Returns whether only the endpoint's own machine can reach it, at a loopback address. A node that itself is at
/// loopback is in a mesh on one machine, where every agent can reach it.
bool is_out_of_reach(const model::Endpoint& endpoint, const model::Node& node) {
  return address_of(endpoint).is_loopback() && std::ranges::none_of(node.addresses, &IpAddress::is_loopback);
}

/// Returns the node's serving endpoint with the lowest lot.
std::optional<MeasuredTarget> endpoint_of(const model::Records& records, const model::Node& node) {
  const std::string prefix = node.key + "/";
  std::optional<MeasuredTarget> best;
  std::uint64_t lowest = 0;
  for (auto at = records.endpoints.lower_bound(prefix); at != records.endpoints.end() && at->first.starts_with(prefix);
       ++at) {
    const model::Endpoint& endpoint = at->second;
    const auto port = tcp_port(endpoint.ports);
    const bool serves = endpoint.health.state == model::HealthState::Serving && !endpoint.unwatched;
    if (!serves || !port || endpoint.addresses.empty()) continue;
    if (is_out_of_reach(endpoint, node)) continue;
    const std::uint64_t drawn = lot(endpoint.key, "");
    if (best && drawn >= lowest) continue;
    lowest = drawn;
    best = {"endpoint " + endpoint.key, {address_of(endpoint), *port}, node.locality.cluster, false};
  }
  return best;
}

std::vector<MeasuredTarget> endpoints_of(const model::Records& records, const Nodes& nodes) {
  std::vector<std::pair<std::uint64_t, const model::Node*>> order;
  for (const model::Node* node : nodes) {
    if (!is_silent(records, node->key)) order.emplace_back(lot(node->key, ""), node);
  }
  std::ranges::stable_sort(order, {}, [](const auto& entry) { return entry.first; });
  std::vector<MeasuredTarget> out;
  for (const auto& [drawn, node] : order) {
    if (out.size() == kMostEndpointTargets) break;
    if (auto target = endpoint_of(records, *node)) out.push_back(std::move(*target));
  }
  return out;
}

/// Returns how near an agent is to a place; higher is nearer.
int nearness(const model::Locality& agent, const model::Locality& place) {
  if (!same(agent, place, model::Part::Region)) return 0;
  return same(agent, place, model::Part::Zone) ? 2 : 1;
}

/// Returns the first kInLine agents of a cluster in the order in which they are asked to measure another cluster.
std::vector<std::string> in_line(const Nodes& agents, const std::string& cluster, const model::Locality& place) {
  std::vector<std::tuple<int, std::uint64_t, std::string>> order;
  for (const model::Node* agent : agents) {
    order.emplace_back(-nearness(agent->locality, place), lot(agent->key, cluster), agent->key);
  }
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(order.size(), kInLine));
  std::partial_sort(order.begin(), end, order.end());
  std::vector<std::string> out;
  for (auto at = order.begin(); at != end; ++at) out.push_back(std::move(std::get<2>(*at)));
  return out;
}

void assign(const MeasuredTarget& target, const std::vector<std::string>& line, MeasurePlan& plan) {
  std::size_t asked = 0;
  for (const std::string& agent : line) {
    if (asked == kAgentsPerTarget) return;
    auto& targets = plan[agent];
    if (targets.size() >= kMostTargets) continue;
    targets.push_back(target);
    ++asked;
  }
}

struct Destination {
  model::Locality place;
  std::vector<MeasuredTarget> targets;
};

using ByCluster = std::map<std::string, Nodes, NameLess>;
using Destinations = std::map<std::string, Destination, NameLess>;

/// Returns every cluster that an agent of another cluster can measure, with its targets.
Destinations destinations_of(const model::Records& records, const ByCluster& agents) {
  ByCluster nodes;
  for (const auto& [key, node] : records.nodes) nodes[node.locality.cluster].push_back(&node);
  Destinations out;
  for (const auto& [name, cluster] : records.clusters) out[name] = {cluster.locality, gateways_of(cluster)};
  for (const auto& [name, members] : nodes) {
    if (agents.size() == 1 && agents.contains(name)) continue;  // the only cluster with agents: none measures it
    Destination& destination = out[name];
    if (destination.place.region.empty()) destination.place = members.front()->locality;
    if (destination.targets.empty()) destination.targets = endpoints_of(records, members);
  }
  return out;
}

}  // namespace

MeasurePlan plan_measurements(const model::Records& records, const std::set<std::string>& connected) {
  ByCluster agents;
  for (const std::string& key : connected) {
    const auto node = records.nodes.find(key);
    if (node != records.nodes.end()) agents[node->second.locality.cluster].push_back(&node->second);
  }
  const auto destinations = destinations_of(records, agents);
  std::size_t rounds = 0;
  for (const auto& [to, destination] : destinations) rounds = std::max(rounds, destination.targets.size());
  MeasurePlan plan;
  for (const auto& [from, members] : agents) {
    std::map<std::string, std::vector<std::string>> lines;
    for (const auto& [to, destination] : destinations) lines[to] = in_line(members, to, destination.place);
    // one target of each cluster per round, so that no cluster is left out because another one has many targets
    for (std::size_t round = 0; round < rounds; ++round) {
      for (const auto& [to, destination] : destinations) {
        if (!same_name(to, from) && round < destination.targets.size())
          assign(destination.targets[round], lines[to], plan);
      }
    }
  }
  std::erase_if(plan, [](const auto& entry) { return entry.second.empty(); });
  return plan;
}

}  // namespace meshdns::federation
