#include "dnsd/topology/outlook.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>
#include <tuple>

#include "common/base/names.h"
#include "common/base/stable_hash.h"
#include "common/base/text.h"
#include "common/base/xxh3.h"
#include "dnsd/topology/distance.h"

namespace meshdns::topology {
namespace {

/// The distance of one of a host's clusters from a client.
struct Nearness {
  const std::string* cluster = nullptr;
  std::optional<Duration> distance;
  std::uint32_t turn = 0;  // see TierKey
};

/// The client that looks, with its steps.
struct Viewer {
  const Steps& steps;
  const model::Locality& place;
  const Geography& geography;
};

/// Sets `turn` of clusters at the same distance.
/// tied: their indexes in `clusters`
void take_turns(const HostPlan& host, const std::string& from, const std::vector<const std::string*>& clusters,
                std::span<const std::size_t> tied, std::vector<Nearness>& out) {
  if (tied.size() < 2) return;
  std::vector<std::tuple<bool, std::uint64_t, std::string_view, std::size_t>> order;
  for (const std::size_t i : tied) {
    const std::string& cluster = *clusters[i];
    // the client's own cluster comes first even if another one states distance 0
    order.emplace_back(!same_name(cluster, from), stable_hash({host.name, ascii_lower(from), ascii_lower(cluster)}),
                       cluster, i);
  }
  std::ranges::sort(order);
  for (std::size_t turn = 0; turn < order.size(); ++turn) {
    out[std::get<3>(order[turn])].turn = static_cast<std::uint32_t>(turn);
  }
}

/// Returns the nearness of the spots' clusters for a client in cluster `from`, by index of Spots::clusters().
std::vector<Nearness> nearness_of_clusters(const HostPlan& host, const Spots& spots, const std::string& from,
                                           const Geography& geography) {
  const DistancesFrom distances(geography, from);
  std::vector<Nearness> out;
  for (const std::string* cluster : spots.clusters()) out.push_back({cluster, distances.to(*cluster), 0});
  std::vector<std::size_t> order(out.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto far = [&](std::size_t i) { return out[i].distance.value_or(Duration::max()); };
  std::ranges::sort(order, {}, far);
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && far(order[end]) == far(order[begin])) ++end;
    take_turns(host, from, spots.clusters(), std::span(order).subspan(begin, end - begin), out);
    begin = end;
  }
  return out;
}

/// Returns how the viewer sees a place.
/// nearness: of the place's cluster; null = the place names none
Sight look_at(const Viewer& viewer, const model::Locality& place, const Nearness* nearness) {
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
  out.key.no_cluster = nearness == nullptr;
  out.key.unknown_distance = nearness == nullptr || !nearness->distance;
  if (nearness == nullptr) return out;
  out.key.cluster = *nearness->cluster;
  out.key.distance = nearness->distance.value_or(Duration::zero());
  out.key.turn = nearness->turn;
  return out;
}

}  // namespace

Spots::Spots(const HostPlan& host) : parts_(place_parts(host.policy)) {
  of_candidate_.reserve(host.candidates.size());
  for (const Candidate& candidate : host.candidates) {
    const bool nowhere = candidate.standing == Standing::Out && !candidate.known;
    of_candidate_.push_back(nowhere ? kNone : find_or_add(candidate.locality));
    if (!nowhere && !candidate.exported) has_unexported_[of_candidate_.back()] = true;
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
    out = xxh3(place.part(part), out);
  }
  return out;
}

std::uint32_t Spots::find_or_add(const model::Locality& place) {
  if (!of_candidate_.empty() && of_candidate_.back() != kNone && is_same(*places_[of_candidate_.back()], place)) {
    return of_candidate_.back();  // candidates are ordered by key, so neighbours often have one place
  }
  const std::size_t key = hash(place);
  const auto [begin, end] = by_hash_.equal_range(key);
  const auto known =
      std::find_if(begin, end, [&](const auto& entry) { return is_same(*places_[entry.second], place); });
  if (known != end) return known->second;
  places_.push_back(&place);
  has_unexported_.push_back(false);
  cluster_of_spot_.push_back(place.cluster.empty() ? kNone : find_or_add_cluster(place.cluster));
  return by_hash_.emplace(key, static_cast<std::uint32_t>(places_.size() - 1))->second;
}

std::uint32_t Spots::find_or_add_cluster(const std::string& name) {
  const auto known = std::ranges::find_if(clusters_, [&](const std::string* other) { return same_name(*other, name); });
  if (known == clusters_.end()) {
    clusters_.push_back(&name);
    return static_cast<std::uint32_t>(clusters_.size() - 1);
  }
  if (name < **known) *known = &name;  // of several spellings all servers show the same one
  return static_cast<std::uint32_t>(known - clusters_.begin());
}

Outlook::Outlook(const HostPlan& host, const Spots& spots, const model::Locality& place, const Geography& geography)
    : steps(host.policy, place), fence_unknown(steps.fence_unknown()), nowhere(place.empty()) {
  const Viewer viewer{steps, place, geography};
  const std::vector<Nearness> near = nearness_of_clusters(host, spots, place.cluster, geography);
  sights.reserve(spots.places().size());
  for (std::size_t i = 0; i < spots.places().size(); ++i) {
    const std::uint32_t cluster = spots.cluster_of(i);
    const model::Locality& spot = *spots.places()[i];
    sights.push_back(look_at(viewer, spot, cluster == Spots::kNone ? nullptr : &near[cluster]));
    sights.back().home = !spots.has_unexported(i) || same(place, spot, model::Part::Cluster);
  }
}

std::size_t Outlook::hash() const {
  std::size_t out = sights.size();
  for (const Sight& sight : sights) {
    out =
        xxh3_of(std::uint64_t{sight.key.major} << 32 | std::uint64_t{sight.key.step} << 1 | (sight.home ? 1 : 0), out);
    out = xxh3_of(static_cast<std::uint64_t>(sight.key.distance.count()), out);
  }
  return out;
}

}  // namespace meshdns::topology
