#include "dnsd/answers/host_state.h"

namespace meshdns::answers {

HostState state_of(const Host& host) {
  HostState out = HostState::Empty;
  for (const EndpointRow& row : host.endpoints()) {
    const topology::Standing standing = host.traits(row).standing;
    if (standing == topology::Standing::Serving) return HostState::Serving;
    if (standing != topology::Standing::Out) out = HostState::LastResort;
  }
  return out;
}

}  // namespace meshdns::answers
