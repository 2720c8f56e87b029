#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meshdns::kubernetes {

/// Where the API server is, and the files that a client needs.
struct Server {
  std::string host;  // an IP address without brackets, or a name
  std::uint16_t port = 443;
  std::string ca_file;     // PEM: who may sign the server's certificate
  std::string token_file;  // empty = requests carry no token

  /// Returns "host:port", for the header Host and for texts; an IPv6 address is in brackets.
  std::string authority() const;

  friend bool operator==(const Server&, const Server&) = default;
};

/// Where Kubernetes puts the files of a pod's service account.
inline constexpr std::string_view kServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Returns the value of an environment variable; nothing = it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Returns the server that a pod is to use.
/// environment: has KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT in each pod
/// folder:      of the service account
/// errors: FailedPrecondition: the process runs in no pod. InvalidArgument: a value is wrong
Result<Server> server_in_cluster(const Environment& environment, std::string_view folder = kServiceAccountFolder);

/// Reads "https://HOST[:PORT]", the form of KUBECONFIG files; an IPv6 address is in brackets. A path is not supported.
/// errors: InvalidArgument, with the reason
Result<Server> server_at(std::string_view url, std::string ca_file, std::string token_file);

/// Returns the environment of this process.
Environment process_environment();

}  // namespace meshdns::kubernetes
