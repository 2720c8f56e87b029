#pragma once

#include "agent/health/probe_result.h"
#include "common/base/result.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::probes {

/// Returns the error for a failed connect, with the codes of common/http/client.h.
/// number: an errno
Error connect_error(int number);

/// Turns the error of a failed exchange into the result of the check.
/// has_route: has_route() of the endpoint's address. "No route to host" is the endpoint's failure if a router reports
/// it,
///            but says nothing about the endpoint if this host has no route.
health::ProbeResult failed_probe(const Error& error, Duration timeout, bool has_route);

/// Whether this host's routing table has a route to the address. Sends nothing.
bool has_route(const SocketAddress& address);

}  // namespace meshdns::probes
