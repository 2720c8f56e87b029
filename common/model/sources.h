#pragma once

#include <string_view>

namespace meshdns::model {

/// The source of endpoints that are pods, whose existence the Kubernetes API server tells (Endpoint::source).
inline constexpr std::string_view kPodSource = "kubernetes";
/// The source of endpoints that no agent owns, of which the federation itself reads in EndpointSlices.
inline constexpr std::string_view kSliceSource = "kubernetes-api";
/// The source of endpoints that are containers of Docker or Podman.
inline constexpr std::string_view kContainerSource = "containers";

}  // namespace meshdns::model
