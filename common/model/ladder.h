#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/locality.h"

namespace meshdns::model {

/// The bit of a part, with those of the parts that it implies, as their names need not differ from one to the next:
/// `zone` implies region, `subzone` implies zone, `node` implies cluster. Bit i = Part i
std::uint8_t with_implied(Part part);

/// One "how close": the locality parts that must be equal. No parts = "any".
struct Rung {
  std::uint8_t parts = 0;  // bit i = Part i, implied ones included
  std::string name;        // as written: "cluster+zone", "any"

  bool requires_part(Part part) const { return (parts >> static_cast<unsigned>(part)) & 1U; }
  /// Rungs that name neither cluster nor node are split into one tier per cluster, by distance.
  bool split_by_cluster() const { return !requires_part(Part::Cluster) && !requires_part(Part::Node); }

  friend bool operator==(const Rung&, const Rung&) = default;
};

using Ladder = std::vector<Rung>;

/// "cluster+zone", "region", "any"; an unknown word or a repeated part is an error.
Result<Rung> parse_rung(std::string_view text);

/// cluster+zone, cluster, zone, region, any (docs/design.md section 4)
const Ladder& default_ladder();

}  // namespace meshdns::model
