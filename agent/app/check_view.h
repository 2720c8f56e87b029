#pragma once

#include <optional>
#include <string>

#include "agent/health/probe_result.h"
#include "agent/probes/check.h"
#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

struct Check;

/// One check of one endpoint at one address, for people: `meshdns-agent status` and `check`.
struct CheckView {
  std::string endpoint;    // its key
  std::string namespace_;  // of the endpoint, as the next
  std::string service;
  std::string kind;     // "tcp", "https", "quorum 2 of 3": probes::kind_name()
  std::string address;  // "10.0.0.11:8080"; of a group the address alone; empty = it is made at none
  std::optional<health::ProbeResult> last;  // the last result; nothing = it never ended
  model::Health health;                     // by this check alone
  TimePoint last_run{};                     // when the last run that ended began
  Duration latency{};                       // of that run
  TimePoint next_run{};                     // when the next one is planned; meaningless while `running` or `waiting`
  bool running = false;
  bool waiting = false;                    // for its turn: too many checks run
  const probes::AnyCheck* what = nullptr;  // valid until the next change of the endpoints
};

CheckView view_of(const Check& check);

}  // namespace meshdns::agent::app
