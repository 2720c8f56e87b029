#pragma once

#include <string_view>

// Names of networks, regions, zones, clusters, namespaces and services are compared as DNS compares names. Labels of
// endpoints are exact, as in Kubernetes.
namespace meshdns {

/// The names are one: they differ at most in the case of ASCII letters, as names in DNS may (RFC 4343).
bool same_name(std::string_view a, std::string_view b) noexcept;
/// Orders names so that same_name() ones are equal.
struct NameLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept;
};

}  // namespace meshdns
