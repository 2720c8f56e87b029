#include "dnsd/topology/view.h"

#include "dnsd/topology/steps.h"

namespace meshdns::topology {

unsigned given_parts(const model::Locality& selector) {
  unsigned parts = 0;
  for (const model::Part part : model::kParts) {
    if (!selector.part(part).empty()) parts |= bit(part);
  }
  return parts;
}

std::uint8_t view_parts(const model::Policy& policy) {
  unsigned parts = bit(model::Part::Cluster);  // decides which endpoints that are not exported are seen
  for (const model::Rung& rung : policy.ladder) {
    parts |= rung.parts;
  }
  if (policy.fence) parts |= policy.fence->client_parts();
  for (const model::Failover& rule : policy.failover) {
    parts |= given_parts(rule.from) | own_parts(rule.from);
  }
  for (const model::Distribute& rule : policy.distribute) parts |= given_parts(rule.from);
  return static_cast<std::uint8_t>(parts);
}

std::uint8_t gateway_parts() {
  return static_cast<std::uint8_t>(bit(model::Part::Network) | bit(model::Part::Cluster));
}

model::Locality projected(const model::Locality& place, std::uint8_t parts) {
  model::Locality out;
  for (const model::Part part : model::kParts) {
    if ((parts >> static_cast<unsigned>(part)) & 1U) out.part(part) = place.part(part);
  }
  return out;
}

}  // namespace meshdns::topology
