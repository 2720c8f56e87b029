#pragma once

#include <functional>

#include "agent/health/probe_result.h"
#include "common/time/time.h"

namespace meshdns::probes {

using Done = std::function<void(health::ProbeResult)>;

/// Makes one check once per run(), in one way: one class for each kind of check (check.h). Says nothing about health:
/// rise and fall are HealthMachine's.
/// thread: the loop's
class Probe {
 public:
  virtual ~Probe() = default;
  /// Starts a check.
  /// done: called once, not before run() returns, unless the probe is destroyed before that. The probe does not set
  ///       `late` and `after_event`.
  virtual void run(Duration timeout, Done done) = 0;
  /// Lets the probe say that the next run() has news, so that nobody waits for the interval: a push, a unit's new
  /// state. Probes that know nothing between two runs never call it, which is the default.
  ///
  /// news: called any number of times while the probe lives, never from within watch() or run()
  virtual void watch(std::function<void()> /*news*/) {}
  /// Makes the next run() connect anew: something has happened to the server's listening socket, about which a
  /// connection that an earlier run() has kept says nothing. A running check is not changed.
  virtual void reconnect() {}
};

}  // namespace meshdns::probes
