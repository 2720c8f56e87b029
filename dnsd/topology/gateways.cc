#include "dnsd/topology/gateways.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "common/base/names.h"
#include "common/model/named.h"

namespace meshdns::topology {
namespace {

using Gateways = std::vector<const model::Gateway*>;

/// Returns the gateways of the place's own cluster that fit, otherwise those of the first other cluster of its network
/// that has some.
template <class Fits>
Gateways gateways_of(const Geography& geography, const model::Locality& place, Fits fits) {
  Gateways out;
  const auto add = [&](const model::Cluster& cluster) {
    for (const model::Gateway& gateway : cluster.gateways) {
      const bool known = std::ranges::any_of(out, [&](const auto* entry) { return entry->address == gateway.address; });
      if (!known && fits(gateway)) out.push_back(&gateway);
    }
  };
  const model::Cluster* own = model::find_named(geography.clusters, place.cluster);
  if (own != nullptr) add(*own);
  if (!out.empty()) return out;
  std::map<std::string_view, const model::Cluster*, NameLess> others;  // the order does not depend on spelling
  for (const auto& [name, cluster] : geography.clusters) {
    if (&cluster != own && same(cluster.locality, place, model::Part::Network)) others.emplace(name, &cluster);
  }
  for (auto other = others.begin(); out.empty() && other != others.end(); ++other) add(*other->second);
  return out;
}

}  // namespace

Route route_to(const Geography& geography, const model::Locality& client, const model::Locality& place) {
  Route out;
  if (client.network.empty() || place.network.empty() || same(client, place, model::Part::Network)) return out;
  const model::ClusterStatus* seen_from = model::find_named(geography.statuses, client.cluster);
  out.gateways = gateways_of(geography, place, [&](const model::Gateway& gateway) {
    return seen_from == nullptr || !seen_from->gateways_down.contains(gateway.address);
  });
  out.kind = Route::Kind::Gateway;
  if (!out.gateways.empty()) return out;
  out.gateways = gateways_of(geography, place, [](const model::Gateway&) { return true; });
  out.kind = out.gateways.empty() ? Route::Kind::Direct : Route::Kind::Blocked;
  return out;
}

bool has_gateways(const std::map<std::string, model::Cluster>& clusters) {
  return std::ranges::any_of(clusters, [](const auto& entry) { return !entry.second.gateways.empty(); });
}

}  // namespace meshdns::topology
