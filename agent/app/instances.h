#pragma once

#include <cstdint>
#include <vector>

#include "agent/discovery/discovered.h"
#include "common/model/endpoint.h"
#include "common/net/socket_address.h"

namespace meshdns::agent::app {

/// Whether the check, or a part of the group, connects to the port.
bool connects_to(const discovery::CheckSpec& check, std::uint16_t port);

/// Returns the ports of the endpoint and those that its checks connect to, in order, each once.
std::vector<std::uint16_t> ports_of(const discovery::Discovered& found);

/// Whether a listener may have served the endpoint or one of its checks.
/// where: the listener's address; the unspecified address of either family = any address; port 0 = any listener
///        at the address
bool is_behind(const SocketAddress& where, const discovery::Discovered& found);

/// Whether two endpoints are the same instance, even with different keys: clients of `now` reach the process that
/// clients of `known` did.
bool is_same_instance(const model::Endpoint& known, const model::Endpoint& now);

}  // namespace meshdns::agent::app
