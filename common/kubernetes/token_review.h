#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

// TokenReview of authentication.k8s.io/v1: an API server says whose a service account token is.
namespace meshdns::kubernetes {

/// The path to which a TokenReview is posted.
inline constexpr std::string_view kTokenReviews = "/apis/authentication.k8s.io/v1/tokenreviews";

/// What the API server says of a service account token that it has accepted.
struct ReviewedToken {
  std::string account;  // the service account, "meshdns/meshdns-agent"
  std::string node;     // on which the token's pod runs; empty = the API server does not say
  std::string pod;      // the pod's name; empty = the token is bound to no pod
  std::string pod_uid;  // empty likewise

  friend bool operator==(const ReviewedToken&, const ReviewedToken&) = default;
};

/// Returns the body of a request that asks whose a token is.
/// audience: for which the token has to be made
std::string token_review_text(std::string_view token, std::string_view audience);

/// Reads the API server's answer.
/// errors: PermissionDenied: the API server does not accept the token for this audience, or the token is of no service
///         account; the message names the rule. DataLoss: the answer is no TokenReview
Result<ReviewedToken> read_token_review(std::string_view body, std::string_view audience);

}  // namespace meshdns::kubernetes
