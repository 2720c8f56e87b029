#pragma once

#include "common/published/quiescent.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/query/policy.h"
#include "dnsd/query/rate_limiter.h"
#include "dnsd/server/capture.h"
#include "dnsd/server/control_pulse.h"
#include "dnsd/server/tap.h"

namespace meshdns::server {

/// The parts that all threads of a server share. Everything must outlive the threads.
struct ServerEnvironment {
  Quiescent<answers::AnswerTable>& table;
  Quiescent<query::Policy>& policy;
  query::RateLimiter& limiter;
  Capture& capture;
  const Clock& clock;
  const ControlPulse& pulse;
  Tap* tap = nullptr;  // null = there is no tap
};

}  // namespace meshdns::server
