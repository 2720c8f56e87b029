#include "dnsd/topology/view.h"

namespace meshdns::topology {

std::uint8_t view_parts(const model::Policy& policy) {
  unsigned parts = 0;
  for (const model::Rung& rung : policy.ladder) {
    parts |= rung.parts;
    if (rung.split_by_cluster()) parts |= 1U << static_cast<unsigned>(model::Part::Cluster);
  }
  return static_cast<std::uint8_t>(parts);
}

model::Locality projected(const model::Locality& place, std::uint8_t parts) {
  model::Locality out;
  for (const model::Part part : model::kParts) {
    if ((parts >> static_cast<unsigned>(part)) & 1U) out.part(part) = place.part(part);
  }
  return out;
}

}  // namespace meshdns::topology
