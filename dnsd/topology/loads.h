#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/model/policy.h"

namespace meshdns::topology {

/// What of a tier says how much load it takes.
struct TierWeights {
  std::uint64_t serving = 0;
  std::uint64_t known = 0;  // serving ones included
};

/// The health of a tier in percent, rounded down: with spill min(100, factor x serving / known), else 0 or 100.
std::uint32_t health_of(const TierWeights& weights, const std::optional<model::Spill>& spill);

/// Each tier in turn takes what is left, as much as its health allows; where all together cannot take 100, all take
/// more in proportion (floor; the remainder goes to the first with a load). healths: each 0 to 100
/// returns: sum to 100, or all 0
std::vector<std::uint32_t> loads_in_turn(const std::vector<std::uint32_t>& healths);

/// Loads in proportion to weights: floor, the remainder to the first with a weight. returns: as above
std::vector<std::uint32_t> loads_by_weight(const std::vector<std::uint64_t>& weights);

/// Shares of percents: each gets percent x health of its tiers together (at most 100), renormalised, and inside a share
/// its tiers take in turn. share: of each tier; as many as there are percents = of none. Those get a load only where
/// all shares are empty, in turn.
std::vector<std::uint32_t> loads_by_share(const std::vector<std::uint32_t>& healths,
                                          const std::vector<std::size_t>& share,
                                          const std::vector<std::uint32_t>& percents);

/// The tiers' health together, at most 100.
std::uint32_t health_together(const std::vector<std::uint32_t>& healths);

/// Too little of a tier serves; a panic that was there ends only kPanicExit above the threshold.
/// source: docs/design.md section 4, step 7
bool is_panic(const TierWeights& weights, std::uint32_t below, bool was);
inline constexpr std::uint32_t kPanicExit = 10;  // percent

}  // namespace meshdns::topology
