#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/model/locality.h"
#include "dnsd/topology/gateways.h"
#include "dnsd/topology/geography.h"
#include "dnsd/topology/host_plan.h"
#include "dnsd/topology/steps.h"

namespace meshdns::topology {

/// The places of a host's candidates: candidates that no policy of the host's can tell apart by their locality share
/// a spot. The plan must outlive the spots.
class Spots {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  explicit Spots(const HostPlan& host);

  const std::vector<const model::Locality*>& places() const { return places_; }
  /// The spot of a candidate, an index of places(); kNone = the candidate is in no tier, whoever asks.
  std::uint32_t of(std::size_t candidate) const { return of_candidate_[candidate]; }
  /// The clusters that the places name, each once.
  const std::vector<const std::string*>& clusters() const { return clusters_; }
  /// The cluster of a spot, an index of clusters(); kNone = its place names no cluster.
  std::uint32_t cluster_of(std::size_t spot) const { return cluster_of_spot_[spot]; }

 private:
  std::uint32_t find_or_add(const model::Locality& place);
  std::uint32_t find_or_add_cluster(const std::string& name);
  bool is_same(const model::Locality& a, const model::Locality& b) const;
  std::size_t hash(const model::Locality& place) const;

  std::uint8_t parts_;
  std::vector<const model::Locality*> places_;
  std::vector<std::uint32_t> of_candidate_;
  std::unordered_multimap<std::size_t, std::uint32_t> by_hash_;
  std::vector<const std::string*> clusters_;
  std::vector<std::uint32_t> cluster_of_spot_;
};

/// Where a tier is among the others: share or group, step, then known distance, then unknown distance, then no cluster
/// at all. Clusters that are equally far, or of which no distance is known, are ordered by a hash of (host, client's
/// cluster, cluster): every server has the same order, and not all hosts and clients have the same first cluster.
struct TierKey {
  std::size_t major = 0;
  std::size_t step = 0;
  bool no_cluster = false;
  bool unknown_distance = false;
  Duration distance{};
  std::uint32_t turn = 0;  // among the clusters that are equally far
  std::string cluster;

  friend auto operator<=>(const TierKey&, const TierKey&) = default;
};

/// How a client sees one spot.
struct Sight {
  bool inside = false;    // the fence admits it
  bool admitted = false;  // and some step is for it
  TierKey key;            // `major` is that of distribute's shares
  Route route;

  friend bool operator==(const Sight&, const Sight&) = default;
};

/// How a client sees all spots of a host. Everything that is decided for the client follows from this and the plan, so
/// that clients with equal outlooks get equal answers. The plan and the place must outlive the outlook.
struct Outlook {
  Outlook(const HostPlan& host, const Spots& spots, const model::Locality& place, const Geography& geography);

  std::size_t hash() const;
  friend bool operator==(const Outlook& a, const Outlook& b) {
    return a.steps == b.steps && a.fence_unknown == b.fence_unknown && a.nowhere == b.nowhere && a.sights == b.sights;
  }

  Steps steps;
  bool fence_unknown;
  bool nowhere;               // nothing is known of where the client is
  std::vector<Sight> sights;  // by spot
};

}  // namespace meshdns::topology
