#pragma once

#include <memory>

#include "agent/discovery/discovered.h"
#include "agent/probes/probe.h"
#include "agent/probes/program_rules.h"
#include "agent/probes/unit_states.h"
#include "common/net/ip_address.h"
#include "common/process/event_loop.h"

namespace meshdns::agent::app {

/// What the probes of an agent share; all of it must outlive them.
struct ProbeParts {
  process::EventLoop& loop;
  const probes::ProgramRules& programs;
  probes::UnitStates& units;
};

/// Returns a probe of the check's kind.
/// parts:   must outlive the probe
/// address: the endpoint's; a check that names an address of its own is made there instead
std::unique_ptr<probes::Probe> make_probe(const ProbeParts& parts, const IpAddress& address,
                                          const discovery::CheckSpec& check);

}  // namespace meshdns::agent::app
