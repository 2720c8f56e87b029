#pragma once

#include <memory>

#include "agent/discovery/discovered.h"
#include "agent/probes/probe.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::agent::app {

/// Returns a probe of the check's kind. `loop` must outlive the probe.
std::unique_ptr<probes::Probe> make_probe(process::EventLoop& loop, const SocketAddress& where,
                                          const discovery::CheckSpec& check);

}  // namespace meshdns::agent::app
