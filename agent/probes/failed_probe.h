#pragma once

#include "agent/health/probe_result.h"
#include "common/base/result.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::probes {

/// The errors of connecting, as common/http/client.h has them. number: an errno
Error connect_error(int number);

/// What an exchange that failed says of the endpoint at `address`.
/// has_route: from has_route(); "no route to host" from afar is the endpoint's failure, from here it is our own trouble
health::ProbeResult failed_probe(const Error& error, Duration timeout, bool has_route);

/// This host's routing table knows a way to the address. Sends nothing.
bool has_route(const SocketAddress& address);

}  // namespace meshdns::probes
