#pragma once

#include <string>
#include <string_view>

// The names of Kubernetes' Multi-Cluster Services (MCS). They are answered where one of these two zones is configured:
// <service>.<namespace>.svc.clusterset.local for each service that some cluster exports.
// source: KEP-1645, "Kubernetes DNS-Based Multicluster Service Discovery" 1.0.0
namespace meshdns::model {

inline constexpr std::string_view kClustersetZone = "clusterset.local";
/// All services are below this name.
inline constexpr std::string_view kClustersetServices = "svc.clusterset.local";
/// The name whose TXT record tells the version of the specification.
inline constexpr std::string_view kClustersetVersionName = "dns-version.clusterset.local";
inline constexpr std::string_view kClustersetVersion = "1.0.0";

/// Returns whether the services of MCS have names in a zone.
/// zone: in lower case
inline bool is_clusterset_zone(std::string_view zone) { return zone == kClustersetZone || zone == kClustersetServices; }

/// Returns whether a host is below the name of all services of MCS: only exported endpoints are answered there.
/// host: in lower case
inline bool is_clusterset_host(std::string_view host) {
  return host.size() > kClustersetServices.size() && host.ends_with(kClustersetServices) &&
         host[host.size() - kClustersetServices.size() - 1] == '.';
}

}  // namespace meshdns::model
