#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/identity/identity.h"
#include "common/kubernetes/token_review.h"

namespace meshdns::enrolment {

/// The service accounts whose pods get certificates, as "namespace/name". None of them is in both lists.
struct ServiceAccounts {
  std::vector<std::string> agents;
  std::vector<std::string> dns;  // replicas
};

/// Returns who the pod of a token is. The service account decides between agent and replica; an agent is that of the
/// pod's node, and a replica has the pod's name.
/// cluster: of the federation
/// wanted:  the name for which the pod wants a certificate
/// errors:  PermissionDenied, with the rule: the service account is not listed, or the pod has another name or node
Result<identity::Identity> identity_of(const kubernetes::ReviewedToken& token, const ServiceAccounts& accounts,
                                       const std::string& cluster, const std::string& wanted);

}  // namespace meshdns::enrolment
