#include "common/model/memberships.h"

#include <algorithm>

namespace meshdns::model {

std::vector<ServiceKey> services_of(const Endpoint& endpoint) {
  std::vector<ServiceKey> out;
  for_each_service(endpoint, [&](const std::string& service) { out.push_back({endpoint.namespace_, service}); });
  return out;
}

std::string services_text(const Endpoint& endpoint) {
  std::string out;
  for_each_service(endpoint, [&](const std::string& service) {
    out += (out.empty() ? "" : ",") + endpoint.namespace_ + "/" + service;
  });
  return out.empty() ? endpoint.namespace_ + "/-" : out;
}

bool same_services(const Endpoint& a, const Endpoint& b) {
  if (a.namespace_ != b.namespace_ || a.service != b.service) return false;
  return a.memberships == b.memberships ||
         std::ranges::equal(a.memberships.get(), b.memberships.get(), {}, &Membership::service, &Membership::service);
}

const Membership* membership_in(const Endpoint& endpoint, std::string_view service) {
  const Memberships& all = endpoint.memberships;
  const auto found =
      std::ranges::find_if(all, [&](const Membership& each) { return same_name(each.service, service); });
  return found == all.end() ? nullptr : &*found;
}

bool is_ambiguous(const Memberships& memberships, const Port& port) {
  return std::ranges::any_of(memberships, [&](const Membership& each) {
    return std::ranges::any_of(each.ports, [&](const Port& other) {
      return other.name == port.name && other.protocol == port.protocol && other.number != port.number;
    });
  });
}

}  // namespace meshdns::model
