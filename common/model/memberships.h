#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/names.h"
#include "common/model/endpoint.h"
#include "common/model/records.h"

// The services of an endpoint, and the ports it has in each. An endpoint belongs to its own service, if it has one, and
// to the services of its memberships. All code asks these functions, so that no other code makes the distinction.
namespace meshdns::model {

/// Calls visit(const std::string& service) once for each service of an endpoint: its own one, then those of its
/// memberships. Names that differ only in case are one service.
template <class Visit>
void for_each_service(const Endpoint& endpoint, Visit visit) {
  if (!endpoint.service.empty()) visit(endpoint.service);
  for (const Membership& each : endpoint.memberships) {
    if (!same_name(each.service, endpoint.service)) visit(each.service);
  }
}

/// Returns the keys of an endpoint's services, in the order of for_each_service().
std::vector<ServiceKey> services_of(const Endpoint& endpoint);
/// Returns the services as people read them: "shop/web", "shop/web,shop/web-headless"; "shop/-" = the endpoint has none.
std::string services_text(const Endpoint& endpoint);
/// Returns whether both endpoints belong to the same services.
bool same_services(const Endpoint& a, const Endpoint& b);

/// Returns the membership in a service; null = there is none.
const Membership* membership_in(const Endpoint& endpoint, std::string_view service);
/// Returns whether an endpoint belongs to a service of its namespace.
inline bool belongs_to(const Endpoint& endpoint, std::string_view service) {
  return (!service.empty() && same_name(endpoint.service, service)) || membership_in(endpoint, service) != nullptr;
}

// ---- ports: a name may be visited twice; then its first port counts ----

/// Calls visit(const Port&) for the ports that an endpoint has in one of its services: those of its membership, then its
/// own ones if the service is its own.
template <class Visit>
void for_each_port_in(const Endpoint& endpoint, std::string_view service, Visit visit) {
  const Membership* membership = membership_in(endpoint, service);
  if (membership != nullptr) {
    for (const Port& port : membership->ports) visit(port);
  }
  if (membership != nullptr && !same_name(endpoint.service, service)) return;
  for (const Port& port : endpoint.ports) visit(port);
}

/// Calls visit(const Port&) for all ports of an endpoint.
template <class Visit>
void for_each_port(const Endpoint& endpoint, Visit visit) {
  for (const Port& port : endpoint.ports) visit(port);
  for (const Membership& each : endpoint.memberships) {
    for (const Port& port : each.ports) visit(port);
  }
}

/// Returns whether memberships disagree about the number of a port's name.
bool is_ambiguous(const Memberships& memberships, const Port& port);

/// Calls visit(const Port&) for the endpoint's own ports, then for those of its memberships that all of the memberships
/// with that name and protocol have at the same number.
template <class Visit>
void for_each_clear_port(const Endpoint& endpoint, Visit visit) {
  for (const Port& port : endpoint.ports) visit(port);
  for (const Membership& each : endpoint.memberships) {
    for (const Port& port : each.ports) {
      if (!is_ambiguous(endpoint.memberships, port)) visit(port);
    }
  }
}

}  // namespace meshdns::model
