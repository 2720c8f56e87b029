#pragma once

#include <string>
#include <string_view>

namespace meshdns::kubernetes {

/// The labels of a Node that say where it is.
inline constexpr const char* kRegionLabel = "topology.kubernetes.io/region";
inline constexpr const char* kZoneLabel = "topology.kubernetes.io/zone";

/// Returns a topology label as the name of a region or zone: every character except letters, digits and hyphens becomes
/// a hyphen.
/// returns: empty = it is none even so: empty, too long, or with a hyphen at an end
std::string place_name(std::string_view label);

}  // namespace meshdns::kubernetes
