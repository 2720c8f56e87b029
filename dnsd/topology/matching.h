#pragma once

#include <cstdint>

#include <optional>
#include <string>

#include "common/model/endpoint.h"
#include "common/model/override.h"
#include "common/net/socket_address.h"

namespace meshdns::topology {

/// Returns whether every wanted label is among the labels, with the same value.
bool has_labels(const model::Labels& labels, const model::Labels& wanted);

/// Returns the number of the first port of an endpoint, its own or that of a service; 0 = the endpoint has no port.
std::uint16_t first_port(const model::Endpoint& endpoint);

/// Returns an endpoint in the form in which overrides are matched with it. Both arguments must outlive the result.
/// place: the locality of the endpoint's node
model::TargetSubject subject_of(const model::Endpoint& endpoint, const model::Locality& place);

/// A target of kind Endpoint, parsed once to be compared with many endpoints.
class EndpointTarget {
 public:
  /// name: the name of the target: an endpoint's key, an address, or address:port
  explicit EndpointTarget(const std::string& name);

  bool hits(const model::Endpoint& endpoint) const;

 private:
  std::string name_;
  std::optional<IpAddress> address_;
  std::optional<SocketAddress> socket_;
};

}  // namespace meshdns::topology
