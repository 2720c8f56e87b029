#include "dnsd/topology/loads.h"

#include <algorithm>
#include <numeric>

namespace meshdns::topology {
namespace {

/// Adds parts of `whole` to `out` in proportion to loads that sum to 100 (rounded down; the first with a load gets the
/// remainder).
void add_scaled(const std::vector<std::uint32_t>& loads, std::uint32_t whole, std::vector<std::uint32_t>& out) {
  std::uint32_t rest = whole;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const std::uint32_t part = loads[i] * whole / 100;
    out[i] += part;
    rest -= part;
  }
  const auto first = std::ranges::find_if(loads, [](std::uint32_t load) { return load > 0; });
  if (first != loads.end()) out[static_cast<std::size_t>(first - loads.begin())] += rest;
}

}  // namespace

std::uint32_t health_of(const TierWeights& weights, const std::optional<model::Spill>& spill) {
  if (weights.serving == 0) return 0;
  if (!spill) return 100;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(100, spill->overprovisioning * weights.serving / weights.known));
}

std::uint32_t health_together(const std::vector<std::uint32_t>& healths) {
  return std::min(100U, std::accumulate(healths.begin(), healths.end(), 0U));
}

std::vector<std::uint32_t> loads_in_turn(const std::vector<std::uint32_t>& healths) {
  std::uint64_t left = 100;
  std::vector<std::uint64_t> taken;
  for (const std::uint32_t health : healths) {
    taken.push_back(std::min<std::uint64_t>(left, health));
    left -= taken.back();
  }
  return loads_by_weight(taken);
}

std::vector<std::uint32_t> loads_by_weight(const std::vector<std::uint64_t>& weights) {
  const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  std::vector<std::uint32_t> loads(weights.size(), 0);
  if (sum == 0) return loads;
  std::uint32_t rest = 100;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    loads[i] = static_cast<std::uint32_t>(weights[i] * 100 / sum);
    rest -= loads[i];
  }
  const auto first = std::ranges::find_if(weights, [](std::uint64_t weight) { return weight > 0; });
  loads[static_cast<std::size_t>(first - weights.begin())] += rest;
  return loads;
}

std::vector<std::uint32_t> loads_by_share(const std::vector<std::uint32_t>& healths,
                                          const std::vector<std::size_t>& share,
                                          const std::vector<std::uint32_t>& percents) {
  const auto only = [&](auto belongs) {
    std::vector<std::uint32_t> out(healths.size(), 0);
    for (std::size_t i = 0; i < healths.size(); ++i) out[i] = belongs(share[i]) ? healths[i] : 0;
    return out;
  };
  std::vector<std::uint64_t> weights;
  for (std::size_t i = 0; i < percents.size(); ++i) {
    weights.push_back(std::uint64_t{percents[i]} * health_together(only([i](std::size_t of) { return of == i; })));
  }
  const std::vector<std::uint32_t> share_loads = loads_by_weight(weights);
  if (health_together(share_loads) == 0) {  // only shares of 0 % have health, or no share has
    const auto listed = only([&](std::size_t of) { return of < percents.size(); });
    if (health_together(listed) > 0) return loads_in_turn(listed);
    return loads_in_turn(only([&](std::size_t of) { return of == percents.size(); }));
  }
  std::vector<std::uint32_t> loads(healths.size(), 0);
  for (std::size_t i = 0; i < percents.size(); ++i) {
    if (share_loads[i] > 0)
      add_scaled(loads_in_turn(only([i](std::size_t of) { return of == i; })), share_loads[i], loads);
  }
  return loads;
}

bool is_panic(const TierWeights& weights, std::uint32_t below, bool was) {
  return weights.known > 0 && weights.serving * 100 < weights.known * std::uint64_t{below + (was ? kPanicExit : 0)};
}

}  // namespace meshdns::topology
