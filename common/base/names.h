#pragma once

#include <string_view>

// Names of networks, regions, zones, clusters, namespaces and services are compared as DNS compares names. Labels of
// endpoints are exact, as in Kubernetes.
namespace meshdns {

/// Whether two names are the same name: they differ at most in the case of ASCII letters.
/// source: RFC 4343
bool same_name(std::string_view a, std::string_view b) noexcept;
/// Orders names so that names which are same_name() are equivalent.
struct NameLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept;
};

}  // namespace meshdns
