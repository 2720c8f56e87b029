#include "common/model/locality.h"

#include <algorithm>
#include <utility>

#include "common/base/names.h"
#include "common/base/text.h"

namespace meshdns::model {

std::string_view part_name(Part part) {
  switch (part) {
    case Part::Network: return "network";
    case Part::Region: return "region";
    case Part::Zone: return "zone";
    case Part::Subzone: return "subzone";
    case Part::Cluster: return "cluster";
    case Part::Node: break;
  }
  return "node";
}

const std::string& Locality::part(Part part) const {
  switch (part) {
    case Part::Network: return network;
    case Part::Region: return region;
    case Part::Zone: return zone;
    case Part::Subzone: return subzone;
    case Part::Cluster: return cluster;
    case Part::Node: break;
  }
  return node;
}

std::string& Locality::part(Part part) { return const_cast<std::string&>(std::as_const(*this).part(part)); }

bool Locality::empty() const {
  return std::all_of(kParts.begin(), kParts.end(), [this](Part p) { return part(p).empty(); });
}

std::string Locality::text() const {
  if (region.empty() && zone.empty() && cluster.empty()) return "nowhere";
  const auto shown = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
  return shown(region) + "/" + shown(zone) + "/" + shown(cluster);
}

bool same(const Locality& a, const Locality& b, Part part) {
  return !a.part(part).empty() && same_name(a.part(part), b.part(part));
}

Locality refined(Locality place, const Locality& next) {
  for (const Part part : kParts) {
    if (!place.part(part).empty() && !next.part(part).empty() && !same(place, next, part)) return place;
  }
  for (const Part part : kParts) {
    if (place.part(part).empty()) place.part(part) = next.part(part);
  }
  return place;
}

}  // namespace meshdns::model
