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

/// A mesh as it is asked about: what the catalog says now, and the answers that were made of it last. Refers to its
/// parts.
struct Scene {
  const catalog::Catalog& catalog;
  topology::Planner& planner;  // of its records
  const answers::Settings& settings;
  const answers::AnswerTable& table;
  TimePoint now;
  std::int64_t unix_seconds = 0;

  topology::Geography geography() const { return topology::geography_of(catalog.records()); }
};

/// A client's seat: where it is, what says so, and what it has drawn.
struct Seat {
  model::Locality place;
  std::string reason;         // "by node prefix 10.0.0.0/24 (eu1-n1)"
  std::uint64_t panic = 0;    // of the host's tiers, in the answers that were made last
  std::uint32_t percent = 0;  // its draw now; see query::Drawn
  std::uint64_t drawn_for = 0;
};

/// Of a client that asks itself: no forwarder in between.
/// listener: "10.0.9.2:53"; empty = one without a locality
/// errors: InvalidArgument: there is no such listener
Result<Seat> seat_of(const Scene& scene, const topology::HostPlan& host, const IpAddress& client,
                     const std::string& listener);

/// One place for each cluster and zone that nodes are in; of clusters without nodes, what their objects say. At most
/// kMostSeats, in order.
std::vector<model::Locality> known_seats(const model::Records& records);
inline constexpr std::size_t kMostSeats = 64;

}  // namespace meshdns::explain
