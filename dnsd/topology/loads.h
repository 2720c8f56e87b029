#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/model/policy.h"

// How it works. Loads are whole percents. Each tier has a health, the share of the client's load that it can take:
//
//   without spill  0 if nothing serves, otherwise 100
//   with spill     min(100, factor x serving weight / known weight)
//
// Tiers take load in turn, nearest first, each as much as its health allows (factor 140):
//
//   tier     serving / known   health   takes          load
//   0             3 of 10          42   min(100, 42)     42
//   1             5 of 10          70   min(58, 70)      58
//   2            10 of 10         100   min(0, 100)       0
//
// Where the healths sum to less than 100, all loads grow in proportion. Shares are rounded down and the first tier with
// a load gets the remainder, so that loads sum to exactly 100 and every server computes the same numbers.
//
// With distribute, the shares are weighed by percent x health first, and each share's load goes to its tiers in turn.
//
// Not done: load does not follow how many queries an endpoint really gets. Panic does not change loads, it only adds
// endpoints to a tier (docs/adr/0013).

namespace meshdns::topology {

/// The weights of a tier that decide how much load it takes.
struct TierWeights {
  std::uint64_t serving = 0;
  std::uint64_t known = 0;  // of the known endpoints, which include the serving ones
};

/// Returns the health of a tier in percent, rounded down: with spill min(100, factor x serving / known), otherwise 0 if
/// nothing serves and 100 if something does.
std::uint32_t health_of(const TierWeights& weights, const std::optional<model::Spill>& spill);

/// Returns the load of each tier. Each tier in turn takes as much of what is left as its health allows. Where all
/// together take less than 100, all loads grow in proportion (rounded down; the first tier with a load gets the
/// remainder).
/// healths: by tier, nearest first, each 0 to 100
/// returns: by tier; the sum is 100, or 0 if all healths are 0
std::vector<std::uint32_t> loads_in_turn(const std::vector<std::uint32_t>& healths);

/// Returns loads in proportion to weights (rounded down; the first with a weight gets the remainder).
/// returns: by weight; the sum is 100, or 0 if all weights are 0
std::vector<std::uint32_t> loads_by_weight(const std::vector<std::uint64_t>& weights);

/// Returns the load of each tier for the shares of a distribute rule. A share gets load in proportion to its percent x
/// the health of its tiers together (at most 100), and its tiers take it in turn. Where that leaves every share without
/// load, the tiers of all shares take 100 in turn; where none of these tiers has health, the tiers of no share.
/// healths:  by tier, nearest first, each 0 to 100
/// share:    by tier: an index of percents, or percents.size() for a tier that belongs to no share
/// percents: by share
/// returns: by tier; the sum is 100, or 0 if all healths are 0
std::vector<std::uint32_t> loads_by_share(const std::vector<std::uint32_t>& healths,
                                          const std::vector<std::size_t>& share,
                                          const std::vector<std::uint32_t>& percents);

/// Returns the sum of the tiers' healths, at most 100.
std::uint32_t health_together(const std::vector<std::uint32_t>& healths);

/// Returns whether so little of a tier serves that its last-resort endpoints take part in its answers. A tier enters
/// panic below the threshold, and leaves panic only kPanicExit above it, so that answers do not flap.
/// below: the threshold in percent of the known weight
/// was:   the tier is in panic already
/// source: docs/design.md section 4, step 7
bool is_panic(const TierWeights& weights, std::uint32_t below, bool was);
inline constexpr std::uint32_t kPanicExit = 10;  // percent

}  // namespace meshdns::topology
