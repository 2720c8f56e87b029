#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/kubernetes/server.h"
#include "common/time/time.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::dnsd::app {

/// The lease by which one of several federation instances leads.
struct LeaseSettings {
  kubernetes::Server server;
  std::string namespace_, name;
  Duration duration = 5s;
};

/// What a federation uses of the Kubernetes API.
struct KubernetesSettings {
  std::optional<kubernetes::Server> objects;  // has operators' objects; nothing = the store has them
  std::optional<LeaseSettings> lease;         // nothing = this instance leads
};

/// Reads the settings of a federation.
/// folder: of the configuration file; relative paths start there
/// errors: InvalidArgument, FailedPrecondition (no server is named, and the process runs in no pod); the message begins
///         with the key
Result<KubernetesSettings> kubernetes_settings(const config::v1::Federation& federation, const std::string& folder,
                                               const kubernetes::Environment& environment);

}  // namespace meshdns::dnsd::app
