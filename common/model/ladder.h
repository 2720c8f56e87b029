#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/locality.h"

namespace meshdns::model {

/// Returns the bits of a part and of the parts that it implies; bit i = Part i. `zone` implies region, `subzone`
/// implies zone, `node` implies cluster, because a zone name is unique only inside its region, and so on.
std::uint8_t with_implied(Part part);

/// One step of a ladder: the locality parts that must be equal for an endpoint to be this close. No parts = "any".
struct Rung {
  std::uint8_t parts = 0;  // bit i = Part i, implied ones included
  std::string name;        // as written: "cluster+zone", "any"

  /// Whether the part must be equal, because the rung names or implies it.
  bool requires_part(Part part) const { return (parts >> static_cast<unsigned>(part)) & 1U; }
  /// Whether the rung gives one tier per cluster, ordered by distance: true if it names neither cluster nor node.
  bool split_by_cluster() const { return !requires_part(Part::Cluster) && !requires_part(Part::Node); }

  friend bool operator==(const Rung&, const Rung&) = default;
};

/// The rungs from the closest to the farthest.
using Ladder = std::vector<Rung>;

/// Parses "cluster+zone", "region" or "any".
/// errors: InvalidArgument: an unknown word, or a part that is named twice
Result<Rung> parse_rung(std::string_view text);

/// Returns the ladder of policies that name none: cluster+zone, cluster, zone, region, any.
const Ladder& default_ladder();

}  // namespace meshdns::model
