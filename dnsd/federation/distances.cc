#include "dnsd/federation/distances.h"

#include <algorithm>
#include <vector>

namespace meshdns::federation {
namespace {

/// Returns the median.
/// requires: at least one value
Duration median(std::vector<Duration> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Rounds a distance to the precision that the hysteresis leaves meaningful; never to 0.
Duration rounded(Duration value) {
  if (value >= 10ms) return std::chrono::round<std::chrono::milliseconds>(value);
  const Duration unit = value >= 1ms ? Duration(100us) : Duration(10us);
  return std::max(unit, (value + unit / 2) / unit * unit);
}

bool is_round_trip(Duration value) { return value > Duration::zero() && value < Distances::kLongest; }

bool differs(Duration value, Duration published) {
  const Duration change = value > published ? value - published : published - value;
  return change > published / 5 && change > Distances::kLeastChange;
}

}  // namespace

void Distances::restore(const std::string& cluster, const model::ClusterStatus& status, TimePoint now) {
  for (const auto& [to, far] : status.distances) {
    if (!is_round_trip(far)) continue;
    Way& way = ways_[cluster][to];
    way.published = far;
    way.heard = now;
  }
  for (const IpAddress& address : status.gateways_down) {
    Gateway& gateway = gateways_[cluster][address];
    gateway.down = true;
    gateway.heard = now;
  }
}

void Distances::heard(const std::string& from, const std::string& agent, const MeasuredTarget& target,
                      const Found& found, TimePoint now) {
  const MeasuredPath path{agent, target.key};
  Way& way = ways_[from][target.cluster];
  way.heard = now;
  if (found.connected && found.rtt && is_round_trip(*found.rtt)) {
    const auto [entry, first] = way.measured.try_emplace(path);
    Smoothed& smoothed = entry->second;
    smoothed.value = first ? *found.rtt : smoothed.value + (*found.rtt - smoothed.value) / 8;
    smoothed.heard = now;
  }
  if (target.gateway) heard_gateway(gateways_[from][target.address.ip], path, found.connected, now);
}

/// A view that is new, or not fresh, begins with the published verdict. Otherwise a change of the measuring agents
/// would skip the three failures or the two successes.
void Distances::heard_gateway(Gateway& gateway, const MeasuredPath& path, bool connected, TimePoint now) {
  gateway.heard = now;
  const auto [entry, first] = gateway.views.try_emplace(path);
  View& view = entry->second;
  if (first || now - view.heard > kLately) view = {gateway.down, 0, now};
  view.heard = now;
  if (connected != view.down) {
    view.contradictions = 0;
  } else if (++view.contradictions >= (view.down ? kRise : kFall)) {
    view = {!view.down, 0, now};
  }
}

void Distances::keep_gateways(const std::set<IpAddress>& known) {
  for (auto& [from, gateways] : gateways_) {
    std::erase_if(gateways, [&](const auto& entry) { return !known.contains(entry.first); });
  }
}

std::optional<Duration> Distances::median_of(const Way& way, TimePoint now) {
  std::map<std::string, std::vector<Duration>> by_agent;
  for (const auto& [path, smoothed] : way.measured) {
    if (now - smoothed.heard <= kFresh) by_agent[path.first].push_back(smoothed.value);
  }
  if (by_agent.empty()) return std::nullopt;
  std::vector<Duration> medians;
  for (auto& [agent, values] : by_agent) medians.push_back(median(std::move(values)));
  return median(std::move(medians));
}

void Distances::settle(Way& way, TimePoint now) {
  std::erase_if(way.measured, [&](const auto& entry) { return now - entry.second.heard > kForgetAfter; });
  const auto value = median_of(way, now);
  if (value && (!way.published || differs(*value, *way.published))) way.published = rounded(*value);
}

void Distances::settle(Gateway& gateway, TimePoint now) {
  std::erase_if(gateway.views, [&](const auto& entry) { return now - entry.second.heard > kLately; });
  if (gateway.views.empty()) return;  // without a fresh result the verdict stays
  gateway.down = std::ranges::all_of(gateway.views, [](const auto& entry) { return entry.second.down; });
}

std::map<std::string, model::ClusterStatus> Distances::settle(TimePoint now) {
  const auto forgotten = [&](const auto& entry) { return now - entry.second.heard > kForgetAfter; };
  std::map<std::string, model::ClusterStatus> out;
  for (auto& [from, ways] : ways_) {
    std::erase_if(ways, forgotten);
    for (auto& [to, way] : ways) {
      settle(way, now);
      if (way.published) out[from].distances[to] = *way.published;
    }
  }
  for (auto& [from, gateways] : gateways_) {
    std::erase_if(gateways, forgotten);
    for (auto& [address, gateway] : gateways) {
      settle(gateway, now);
      if (gateway.down) out[from].gateways_down.insert(address);
    }
  }
  std::erase_if(ways_, [](const auto& entry) { return entry.second.empty(); });
  std::erase_if(gateways_, [](const auto& entry) { return entry.second.empty(); });
  return out;
}

}  // namespace meshdns::federation
