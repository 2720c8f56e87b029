#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/model/locality.h"
#include "common/model/objects.h"
#include "dnsd/topology/geography.h"

namespace meshdns::topology {

/// The way from a client to an endpoint.
struct Route {
  enum class Kind : std::uint8_t {
    Direct,   // in the client's network, or one of the two networks is not known
    Gateway,  // through any of `gateways`
    Blocked,  // gateways are defined, but none can be reached; `gateways` has all of them
  };
  Kind kind = Kind::Direct;
  std::vector<const model::Gateway*> gateways;  // they belong to the geography's clusters; each address once

  friend bool operator==(const Route&, const Route&) = default;
};

/// Returns the way from a client to a place. It leads through the gateways of the place's own cluster that the client's
/// cluster can reach, otherwise through those of another cluster in the place's network. Where no gateway can be
/// reached, the route is Blocked and still names them: one of them may come back, while the endpoint's own address can
/// never be reached from another network.
/// source: docs/design.md section 4, step 8
Route route_to(const Geography& geography, const model::Locality& client, const model::Locality& place);

/// Returns whether any cluster has a gateway. If so, answers depend on the client's network.
bool has_gateways(const std::map<std::string, model::Cluster>& clusters);

}  // namespace meshdns::topology
