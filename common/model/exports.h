#pragma once

#include <string_view>

#include "common/model/memberships.h"

namespace meshdns::model {

/// Returns whether an endpoint is exported by one of its services, so that clients of other clusters see the endpoint
/// there. A service that the endpoint names itself always exports it; a membership states whether it does.
inline bool is_exported(const Endpoint& endpoint, std::string_view service) {
  if (!endpoint.service.empty() && same_name(endpoint.service, service)) return true;
  const Membership* membership = membership_in(endpoint, service);
  return membership != nullptr && membership->exported;
}

/// Returns whether any service exports an endpoint.
inline bool is_exported(const Endpoint& endpoint) {
  if (!endpoint.service.empty()) return true;
  for (const Membership& each : endpoint.memberships) {
    if (each.exported) return true;
  }
  return false;
}

}  // namespace meshdns::model
