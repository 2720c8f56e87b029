#include "dnsd/topology/distance.h"

namespace meshdns::topology {
namespace {

/// What the record of `from` has about `to`.
template <class Record>
std::optional<Duration> stated(const std::map<std::string, Record>& records, const std::string& from,
                               const std::string& to) {
  const auto record = records.find(from);
  if (record == records.end()) return std::nullopt;
  const auto entry = record->second.distances.find(to);
  if (entry == record->second.distances.end()) return std::nullopt;
  return entry->second;
}

template <class Record>
std::optional<Duration> either_way(const std::map<std::string, Record>& records, const std::string& from,
                                   const std::string& to) {
  if (const auto there = stated(records, from, to)) return there;
  return stated(records, to, from);
}

}  // namespace

std::optional<Duration> distance(const Geography& geography, const std::string& from, const std::string& to) {
  if (from.empty() || to.empty()) return std::nullopt;
  if (from == to) return Duration::zero();
  if (const auto configured = either_way(geography.clusters, from, to)) return configured;
  return either_way(geography.statuses, from, to);
}

}  // namespace meshdns::topology
