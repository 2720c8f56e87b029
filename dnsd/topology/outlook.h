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

/// The distinct places of a host's candidates. Candidates share a spot if their localities agree in all parts that the
/// host's policy looks at. The plan must outlive this.
class Spots {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  explicit Spots(const HostPlan& host);

  const std::vector<const model::Locality*>& places() const { return places_; }
  /// Returns the spot of a candidate, an index of places(); kNone = the candidate is in no tier of any client.
  std::uint32_t of(std::size_t candidate) const { return of_candidate_[candidate]; }
  /// Returns whether some candidate in a spot is not exported.
  bool has_unexported(std::size_t spot) const { return has_unexported_[spot]; }
  /// Returns the clusters that the places name, each once.
  const std::vector<const std::string*>& clusters() const { return clusters_; }
  /// Returns the cluster of a spot, an index of clusters(); kNone = its place names no cluster.
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
  std::vector<bool> has_unexported_;  // by spot
};

/// The position of a tier among a client's tiers: by share or priority group, then step, then known distance, then
/// unknown distance; endpoints without cluster come last. Clusters at equal or unknown distances are ordered by a hash
/// of (host, client's cluster, cluster): all servers have the same order, but not every client starts with the same
/// cluster.
struct TierKey {
  std::size_t major = 0;
  std::size_t step = 0;
  bool no_cluster = false;
  bool unknown_distance = false;
  Duration distance{};
  std::uint32_t turn = 0;  // position among the clusters at the same distance
  std::string cluster;

  friend auto operator<=>(const TierKey&, const TierKey&) = default;
};

/// One spot as a client sees it.
struct Sight {
  bool inside = false;    // the fence admits the spot
  bool admitted = false;  // `inside`, and some step takes the spot
  /// The client sees the endpoints in the spot that are not exported: the spot is in its cluster. Always true where all
  /// endpoints are exported, so that clients of different clusters have equal outlooks there.
  bool home = true;
  TierKey key;  // `major` is the share of a distribute rule; Decider replaces it where there are priority groups
  Route route;

  friend bool operator==(const Sight&, const Sight&) = default;
};

/// All spots of a host as a client sees them. The decision for the client follows from the outlook and the plan alone,
/// so clients with equal outlooks get equal decisions. The plan and the place must outlive this.
struct Outlook {
  Outlook(const HostPlan& host, const Spots& spots, const model::Locality& place, const Geography& geography);

  std::size_t hash() const;
  friend bool operator==(const Outlook& a, const Outlook& b) {
    return a.steps == b.steps && a.fence_unknown == b.fence_unknown && a.nowhere == b.nowhere && a.sights == b.sights;
  }

  Steps steps;
  bool fence_unknown;
  bool nowhere;               // nothing is known about the client's place
  std::vector<Sight> sights;  // by spot
};

}  // namespace meshdns::topology
