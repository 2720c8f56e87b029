#include "dnsd/topology/gateways.h"

#include <algorithm>

namespace meshdns::topology {
namespace {

/// Those of one cluster that are not known to be down. returns: it defines any
bool add_reachable(const model::Cluster& cluster, const model::ClusterStatus* seen_from, Route& out) {
  for (const model::Gateway& gateway : cluster.gateways) {
    if (seen_from == nullptr || !seen_from->gateways_down.contains(gateway.address)) out.gateways.push_back(&gateway);
  }
  return !cluster.gateways.empty();
}

}  // namespace

Route route_to(const Geography& geography, const model::Locality& client, const model::Locality& place) {
  Route out;
  if (client.network.empty() || place.network.empty() || client.network == place.network) return out;
  const auto status = geography.statuses.find(client.cluster);
  const model::ClusterStatus* seen_from = status == geography.statuses.end() ? nullptr : &status->second;
  const auto own = geography.clusters.find(place.cluster);
  bool defined = own != geography.clusters.end() && add_reachable(own->second, seen_from, out);
  for (auto other = geography.clusters.begin(); out.gateways.empty() && other != geography.clusters.end(); ++other) {
    const bool same_network = other->second.locality.network == place.network;
    if (other != own && same_network && add_reachable(other->second, seen_from, out)) defined = true;
  }
  if (defined) out.kind = out.gateways.empty() ? Route::Kind::Blocked : Route::Kind::Gateway;
  return out;
}

bool has_gateways(const std::map<std::string, model::Cluster>& clusters) {
  return std::ranges::any_of(clusters, [](const auto& entry) { return !entry.second.gateways.empty(); });
}

}  // namespace meshdns::topology
