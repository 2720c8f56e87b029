#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/config/load.h"
#include "common/kubernetes/server.h"
#include "common/time/time.h"
#include "dnsd/enrolment/authority_secret.h"
#include "dnsd/enrolment/pod_identity.h"
#include "dnsd/enrolment/token_reviews.h"

namespace meshdns::dnsd::app {

/// Whose service account tokens are believed, and who is asked about them (identity.kubernetes).
struct PodIdentitySettings {
  kubernetes::Server server;
  enrolment::TokenReviews::Options reviews;
  enrolment::ServiceAccounts accounts;
};

/// Where the authority is kept (federation.authority_secret).
struct AuthoritySecretSettings {
  kubernetes::Server server;
  enrolment::AuthoritySecret::Options options;
};

/// The lease by which one of several federation instances leads (federation.lease).
struct LeaseSettings {
  kubernetes::Server server;
  std::string namespace_, name;
  Duration duration = 5s;
};

/// What a configuration says of the Kubernetes API, besides the clusters that are followed; nothing = it is not
/// configured.
struct KubernetesSettings {
  std::optional<PodIdentitySettings> pods;
  std::optional<AuthoritySecretSettings> authority_secret;
  std::optional<kubernetes::Server> objects;  // has operators' objects; nothing = the store has them
  std::optional<LeaseSettings> lease;         // nothing = this instance leads
};

/// Reads the settings of a configuration.
/// folder: where relative paths start
/// errors: InvalidArgument, FailedPrecondition (`server` is not given, and this is no pod); the message begins with the
///         key
Result<KubernetesSettings> kubernetes_settings(const config::v1::Meshdnsd& file, const std::string& folder,
                                               const kubernetes::Environment& environment);

}  // namespace meshdns::dnsd::app
