#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/model/locality.h"
#include "common/model/objects.h"
#include "dnsd/topology/geography.h"

namespace meshdns::topology {

/// How a client reaches an endpoint.
struct Route {
  enum class Kind : std::uint8_t {
    Direct,   // in the client's network, or nothing is known that says otherwise
    Gateway,  // through one of `gateways`
    Blocked,  // gateways are defined, and none can be reached: `gateways` are all of them
  };
  Kind kind = Kind::Direct;
  std::vector<const model::Gateway*> gateways;  // in `clusters`; each address once

  friend bool operator==(const Route&, const Route&) = default;
};

/// The gateways of the place's own cluster that clients here can reach, else those of any cluster in its network. Where
/// none can be reached, those that should be: one of them may come back, the endpoint's own address never can.
/// source: docs/design.md section 4, step 8
Route route_to(const Geography& geography, const model::Locality& client, const model::Locality& place);

/// Some cluster has a gateway: then answers depend on the client's network.
bool has_gateways(const std::map<std::string, model::Cluster>& clusters);

}  // namespace meshdns::topology
