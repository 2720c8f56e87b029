#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace meshdns::model {

/// The parts of a locality, widest first.
enum class Part : std::uint8_t { Network, Region, Zone, Subzone, Cluster, Node };
inline constexpr std::array kParts = {Part::Network, Part::Region,  Part::Zone,
                                      Part::Subzone, Part::Cluster, Part::Node};

std::string_view part_name(Part part);

/// Where something is. Every part is optional; a missing (empty) part equals nothing, not even another missing one.
struct Locality {
  std::string network;
  std::string region;
  std::string zone;
  std::string subzone;
  std::string cluster;
  std::string node;

  const std::string& part(Part part) const;
  std::string& part(Part part);
  bool empty() const;
  /// "eu/eu-a/eu-1": region/zone/cluster, "-" for a part that is missing; "nowhere" if all three are
  std::string text() const;

  friend auto operator<=>(const Locality&, const Locality&) = default;
};

/// Both state the part and it is equal.
bool same(const Locality& a, const Locality& b, Part part);

/// Fills the empty parts of `place` from `next` if what both state agrees; else returns it unchanged (docs/design.md
/// section 3).
Locality refined(Locality place, const Locality& next);

}  // namespace meshdns::model
