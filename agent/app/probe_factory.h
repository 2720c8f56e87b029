#pragma once

#include <memory>

#include "agent/discovery/discovered.h"
#include "agent/probes/grpc_channels.h"
#include "agent/probes/probe.h"
#include "agent/probes/program_rules.h"
#include "agent/probes/push_board.h"
#include "agent/probes/service_board.h"
#include "agent/probes/tls_client.h"
#include "agent/probes/unit_states.h"
#include "common/process/event_loop.h"

namespace meshdns::agent::app {

/// What the probes of an agent share; all of it must outlive them.
struct ProbeParts {
  process::EventLoop& loop;
  const Clock& clock;
  probes::PushBoard& pushes;
  probes::ServiceBoard& services;
  probes::TlsClient& tls;
  probes::GrpcChannels& grpc;
  const probes::ProgramRules& programs;
  probes::UnitStates& units;
};

/// Returns a probe of the check's kind. What `parts` refers to must outlive the probe.
std::unique_ptr<probes::Probe> make_probe(const ProbeParts& parts, const probes::Place& place,
                                          const discovery::CheckSpec& check);

}  // namespace meshdns::agent::app
