#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/config/load.h"
#include "common/kubernetes/server.h"
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

/// Where relative paths start, and what a pod finds in its environment.
struct KubernetesPlace {
  std::string folder;
  kubernetes::Environment environment;
};

/// Returns the settings of identity.kubernetes; nothing = it is not configured.
/// errors: InvalidArgument, FailedPrecondition (`server` is not given, and this is no pod); the message begins with the
///         key
Result<std::optional<PodIdentitySettings>> pod_identity_of(const config::v1::Meshdnsd& file,
                                                           const KubernetesPlace& place);

/// Returns the settings of federation.authority_secret; nothing = it is not configured.
/// errors: as above
Result<std::optional<AuthoritySecretSettings>> authority_secret_of(const config::v1::Meshdnsd& file,
                                                                   const KubernetesPlace& place);

}  // namespace meshdns::dnsd::app
