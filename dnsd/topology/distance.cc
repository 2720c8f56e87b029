#include "dnsd/topology/distance.h"

namespace meshdns::topology {
namespace {

std::optional<Duration> stated(const std::map<std::string, model::Cluster>& clusters, const std::string& from,
                               const std::string& to) {
  const auto cluster = clusters.find(from);
  if (cluster == clusters.end()) return std::nullopt;
  const auto entry = cluster->second.distances.find(to);
  if (entry == cluster->second.distances.end()) return std::nullopt;
  return entry->second;
}

}  // namespace

std::optional<Duration> distance(const std::map<std::string, model::Cluster>& clusters, const std::string& from,
                                 const std::string& to) {
  if (from.empty() || to.empty()) return std::nullopt;
  if (from == to) return Duration::zero();
  if (const auto there = stated(clusters, from, to)) return there;
  return stated(clusters, to, from);
}

}  // namespace meshdns::topology
