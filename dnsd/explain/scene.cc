#include "dnsd/explain/scene.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "common/base/text.h"
#include "dnsd/query/spread.h"

namespace meshdns::explain {
namespace {

/// Returns the index of a listener. Without a name it is the one after the last, which has no locality.
Result<std::uint16_t> listener_index(const answers::AnswerSettings& settings, const std::string& text) {
  if (text.empty()) return static_cast<std::uint16_t>(settings.listeners.size());
  const auto found = std::ranges::find(settings.listeners, text, &answers::ListenerSettings::text);
  if (found != settings.listeners.end()) return static_cast<std::uint16_t>(found - settings.listeners.begin());
  std::vector<std::string> all;
  for (const auto& listener : settings.listeners) all.push_back(listener.text);
  return Error(Code::InvalidArgument, "no listener " + text + "; there are " + join(all, ", "));
}

}  // namespace

Result<PlacedClient> placed_client(const Scene& scene, const topology::HostPlan& host, const IpAddress& client,
                                   const std::string& listener) {
  const auto index = listener_index(scene.settings, listener);
  if (!index) return index.error();
  const wire::ClientSubnet none{};
  const answers::Whereabouts& where = *scene.table.where;
  const answers::Located located = where.locator.locate(client, *index, none);
  const std::string& reason = where.locator.reasons[located.reason];
  const bool forwarder = located.source == answers::PlaceSource::Forwarder;
  PlacedClient placed{.place = where.localities[located.place],
                      .reason = forwarder ? "forwarder, no ECS: placed as " + reason : reason};
  const auto name = wire::parse_name(host.name);
  if (!name) return placed;
  const std::uint64_t hash = wire::hash_name(*name);
  const answers::Host* published = scene.table.find(*name, hash).host;
  if (published != nullptr) placed.panic = answers::panic_of(*published, scene.table.set(*published, located.place));
  const query::Drawn drawn = query::drawn(hash, static_cast<std::uint32_t>(host.policy.ttl / 1s),
                                          {client, none, located, static_cast<std::uint32_t>(scene.unix_seconds)});
  placed.percent = drawn.percent;
  placed.drawn_for = drawn.seconds;
  return placed;
}

std::vector<model::Locality> known_places(const model::Records& records) {
  std::map<std::tuple<std::string, std::string, std::string>, model::Locality> places;
  std::set<std::string> clusters;
  const auto add = [&](model::Locality place) {
    place.subzone.clear();
    place.node.clear();
    clusters.insert(ascii_lower(place.cluster));
    const auto key = std::make_tuple(ascii_lower(place.cluster), ascii_lower(place.region), ascii_lower(place.zone));
    places.emplace(key, std::move(place));
  };
  const model::Locality* last = nullptr;  // nodes of one place often follow each other
  for (const auto& [key, node] : records.nodes) {
    const bool same = last != nullptr && last->cluster == node.locality.cluster && last->zone == node.locality.zone &&
                      last->region == node.locality.region && last->subzone == node.locality.subzone &&
                      last->network == node.locality.network;
    if (!same) add(model::locality_of(records, key));
    last = &node.locality;
  }
  for (const auto& [name, cluster] : records.clusters) {
    if (clusters.contains(ascii_lower(name))) continue;
    model::Locality place = cluster.locality;
    place.cluster = name;
    add(std::move(place));
  }
  std::vector<model::Locality> out;
  for (const auto& [key, place] : places) {
    if (out.size() < kMostPlaces) out.push_back(place);
  }
  return out;
}

}  // namespace meshdns::explain
