#include "dnsd/enrolment/pod_identity.h"

#include <fmt/format.h>

#include <algorithm>

namespace meshdns::enrolment {
namespace {

using identity::Identity;
using identity::Role;

Error denied(const std::string& why, std::string_view rule) {
  return {Code::PermissionDenied, fmt::format("service account token: {} (rule {})", why, rule)};
}

Result<Identity> checked(Identity out, std::string_view rule) {
  if (auto fits = identity::check(out); !fits) return denied(fits.error().message(), rule);
  return out;
}

}  // namespace

Result<Identity> identity_of(const kubernetes::ReviewedToken& token, const ServiceAccounts& accounts,
                             const std::string& cluster, const std::string& wanted) {
  const auto lists = [&token](const std::vector<std::string>& list) {
    return std::ranges::find(list, token.account) != list.end();
  };
  const bool agent = lists(accounts.agents);
  if (!agent && !lists(accounts.dns))
    return denied(fmt::format("identity.kubernetes does not list the service account {}", token.account),
                  "service-account");
  // a token that no pod has would outlive every pod
  if (token.pod.empty() || token.pod_uid.empty()) return denied("it is bound to no pod", "token-pod");
  if (!agent) {
    if (token.pod != wanted)
      return denied(fmt::format("it is of the pod {}, not of {}", token.pod, wanted), "token-pod");
    return checked({Role::Dns, cluster, wanted}, "token-pod");
  }
  if (token.node.empty())
    return denied(
        "the API server does not name the node of its pod: Kubernetes 1.30 is needed, or 1.29 with the "
        "feature gate ServiceAccountTokenPodNodeInfo, and a token that was made since then",
        "token-node");
  if (token.node != wanted)
    return denied(fmt::format("its pod is on node {}, not on {}", token.node, wanted), "token-node");
  return checked({Role::Node, cluster, wanted}, "token-node");
}

}  // namespace meshdns::enrolment
