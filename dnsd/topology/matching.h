#pragma once

#include <cstdint>

#include <optional>
#include <string>

#include "common/model/endpoint.h"
#include "common/model/override.h"
#include "common/net/socket_address.h"

namespace meshdns::topology {

/// Every wanted label is among these, with the same value.
bool has_labels(const model::Labels& labels, const model::Labels& wanted);

/// The number of the first port that the endpoint names; 0 = it names none.
std::uint16_t first_port(const model::Endpoint& endpoint);

/// What overrides are matched with; place: where the endpoint's node is. Refers to both.
model::TargetSubject subject_of(const model::Endpoint& endpoint, const model::Locality& place);

/// A target of the kind Endpoint, read once for a look at many endpoints.
class EndpointTarget {
 public:
  /// name: the target's: an endpoint's key, an address, or address:port
  explicit EndpointTarget(const std::string& name);

  bool hits(const model::Endpoint& endpoint) const;

 private:
  std::string name_;
  std::optional<IpAddress> address_;
  std::optional<SocketAddress> socket_;
};

}  // namespace meshdns::topology
