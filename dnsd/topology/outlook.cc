#include "dnsd/topology/outlook.h"

#include <algorithm>
#include <functional>

#include "dnsd/topology/distance.h"

namespace meshdns::topology {
namespace {

/// Who looks.
struct Viewer {
  const Steps& steps;
  const model::Locality& place;
  const Geography& geography;
  const DistancesFrom distances;
};

Sight look_at(const Viewer& viewer, const model::Locality& place) {
  const Steps& steps = viewer.steps;
  Sight out;
  out.inside = steps.admits(place);
  if (!out.inside) return out;
  const auto step = steps.of(place);
  if (!step) return out;
  out.admitted = true;
  if (steps.distribute() != nullptr) out.key.major = steps.share_of(place);
  out.key.step = *step;
  out.route = route_to(viewer.geography, viewer.place, place);
  if (!steps[*step].split) return out;
  out.key.cluster = place.cluster;
  out.key.no_cluster = place.cluster.empty();
  const auto far = viewer.distances.to(place.cluster);
  out.key.unknown_distance = !far;
  out.key.distance = far.value_or(Duration::zero());
  return out;
}

}  // namespace

Spots::Spots(const HostPlan& host) : parts_(place_parts(host.policy)) {
  of_candidate_.reserve(host.candidates.size());
  for (const Candidate& candidate : host.candidates) {
    const bool nowhere = candidate.standing == Standing::Out && !candidate.known;
    of_candidate_.push_back(nowhere ? kNone : find_or_add(candidate.locality));
  }
}

bool Spots::is_same(const model::Locality& a, const model::Locality& b) const {
  return std::ranges::all_of(model::kParts, [&](model::Part part) {
    return ((parts_ >> static_cast<unsigned>(part)) & 1U) == 0 || a.part(part) == b.part(part);
  });
}

std::size_t Spots::hash(const model::Locality& place) const {
  std::size_t out = 0;
  for (const model::Part part : model::kParts) {
    if (((parts_ >> static_cast<unsigned>(part)) & 1U) == 0) continue;
    out = out * 31 + std::hash<std::string>()(place.part(part));
  }
  return out;
}

std::uint32_t Spots::find_or_add(const model::Locality& place) {
  if (!of_candidate_.empty() && of_candidate_.back() != kNone && is_same(*places_[of_candidate_.back()], place)) {
    return of_candidate_.back();  // neighbours often share it
  }
  const std::size_t key = hash(place);
  const auto [begin, end] = by_hash_.equal_range(key);
  const auto known =
      std::find_if(begin, end, [&](const auto& entry) { return is_same(*places_[entry.second], place); });
  if (known != end) return known->second;
  places_.push_back(&place);
  return by_hash_.emplace(key, static_cast<std::uint32_t>(places_.size() - 1))->second;
}

Outlook::Outlook(const HostPlan& host, const Spots& spots, const model::Locality& place, const Geography& geography)
    : steps(host.policy, place), fence_unknown(steps.fence_unknown()), nowhere(place.empty()) {
  const Viewer viewer{steps, place, geography, DistancesFrom(geography, place.cluster)};
  sights.reserve(spots.places().size());
  for (const model::Locality* at : spots.places()) sights.push_back(look_at(viewer, *at));
}

std::size_t Outlook::hash() const {
  std::size_t out = sights.size();
  for (const Sight& sight : sights) {
    out = out * 31 + sight.key.step + sight.key.major * 7;
    out = out * 31 + static_cast<std::size_t>(sight.key.distance.count());
  }
  return out;
}

}  // namespace meshdns::topology
