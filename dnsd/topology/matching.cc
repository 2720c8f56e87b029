#include "dnsd/topology/matching.h"

#include <algorithm>

namespace meshdns::topology {

bool has_labels(const model::Labels& labels, const model::Labels& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

std::uint16_t first_port(const model::Endpoint& endpoint) {
  if (!endpoint.ports.empty()) return endpoint.ports.front().number;
  for (const model::Membership& each : endpoint.memberships) {
    if (!each.ports.empty()) return each.ports.front().number;
  }
  return 0;
}

model::TargetSubject subject_of(const model::Endpoint& endpoint, const model::Locality& place) {
  return {endpoint.key, endpoint.node,      endpoint.namespace_, endpoint.service,
          place,        endpoint.addresses, first_port(endpoint), &endpoint.memberships.get()};
}

EndpointTarget::EndpointTarget(const std::string& name) : name_(name) {
  if (const auto address = IpAddress::parse(name)) address_ = *address;
  if (const auto socket = SocketAddress::parse(name)) socket_ = *socket;
}

bool EndpointTarget::hits(const model::Endpoint& endpoint) const {
  if (endpoint.key == name_) return true;
  return std::ranges::any_of(endpoint.addresses, [&](const IpAddress& address) {
    return address == address_ || (socket_ && address == socket_->ip && first_port(endpoint) == socket_->port);
  });
}

}  // namespace meshdns::topology
