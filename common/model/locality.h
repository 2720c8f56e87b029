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

/// Returns "network", "region", "zone", "subzone", "cluster" or "node".
std::string_view part_name(Part part);

/// The place of an endpoint, a node or a client. Every part is optional; a missing (empty) part equals nothing, not
/// even another missing part.
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
  /// Returns region/zone/cluster for people, like "eu/eu-a/eu-1", with "-" for a missing part; "nowhere" if all three
  /// are missing.
  std::string text() const;

  friend auto operator<=>(const Locality&, const Locality&) = default;
};

/// Whether both localities have the part, and it is equal. Names differing only in case are equal.
bool same(const Locality& a, const Locality& b, Part part);

/// Returns `place` with its empty parts filled from `next`. If any part that both have differs, returns `place`
/// unchanged: the two speak of different places, and a mixture would be neither.
Locality refined(Locality place, const Locality& next);

}  // namespace meshdns::model
