#pragma once

#include <string_view>

namespace meshdns::model {

/// The source of endpoints that are pods, whose existence the Kubernetes API server tells (Endpoint::source).
inline constexpr std::string_view kPodSource = "kubernetes";
/// The source of endpoints that no agent owns, of which the federation itself reads in EndpointSlices.
inline constexpr std::string_view kSliceSource = "kubernetes-api";
/// The source of endpoints that are containers of Docker or Podman.
inline constexpr std::string_view kContainerSource = "containers";

/// Whether an endpoint that its source lists no more has ended, like a pod or a container, whose address is another
/// one's soon. The process behind the entry of a file may live on, and serve until its replacement does.
inline bool ends_when_unlisted(std::string_view source) { return source == kPodSource || source == kContainerSource; }

}  // namespace meshdns::model
