#pragma once

#include <functional>

#include "agent/health/probe_result.h"
#include "common/time/time.h"

namespace meshdns::probes {

using Done = std::function<void(health::ProbeResult)>;

/// Checks one address once per run(), in one way: TcpProbe or HttpProbe. Says nothing about health: rise and fall are
/// HealthMachine's.
/// thread: the loop's
class Probe {
 public:
  virtual ~Probe() = default;
  /// Starts a check.
  /// done: called once, not before run() returns, unless the probe is destroyed before that. The probe does not set
  ///       `late` and `after_event`.
  virtual void run(Duration timeout, Done done) = 0;
};

}  // namespace meshdns::probes
