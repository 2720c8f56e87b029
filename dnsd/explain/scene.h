#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/locality.h"
#include "common/net/ip_address.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/answers/settings.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/topology/planner.h"

namespace meshdns::explain {

/// A mesh about which somebody asks: the current catalog, and the answers that were compiled last. Everything must
/// outlive this.
struct Scene {
  const catalog::Catalog& catalog;
  topology::Planner& planner;  // plans the catalog's records
  const answers::AnswerSettings& settings;
  const answers::AnswerTable& table;
  TimePoint now;
  std::int64_t unix_seconds = 0;

  topology::Geography geography() const { return topology::geography_of(catalog.records()); }
};

/// A client of one host: its place, what placed it, and what it has drawn.
struct PlacedClient {
  model::Locality place;
  std::string reason;           // "by node prefix 10.0.0.0/24 (eu1-n1)"
  std::uint64_t panic = 0;      // tiers in panic, by the answers that were compiled last
  std::uint32_t percent = 0;    // its current draw; see query::Drawn
  std::uint64_t drawn_for = 0;  // seconds that the draw stays the same
};

/// Returns the place of a client that asks directly, without a forwarder.
/// listener: "10.0.9.2:53"; empty = a listener without a locality
/// errors: InvalidArgument: there is no such listener
Result<PlacedClient> placed_client(const Scene& scene, const topology::HostPlan& host, const IpAddress& client,
                                   const std::string& listener);

/// Returns one place for each cluster and zone that nodes are in. A cluster without nodes has the place that its object
/// states.
/// returns: in order, at most kMostPlaces
std::vector<model::Locality> known_places(const model::Records& records);
inline constexpr std::size_t kMostPlaces = 64;

}  // namespace meshdns::explain
