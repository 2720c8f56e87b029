#pragma once

namespace meshdns::model {

/// The manager of objects that are in the Kubernetes API.
inline constexpr const char* kKubernetesManager = "kubernetes";

/// The annotation of a Namespace that lists its further names, separated by commas.
inline constexpr const char* kHostsAnnotation = "meshdns.io/hosts";

}  // namespace meshdns::model
