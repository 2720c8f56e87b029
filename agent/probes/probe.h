#pragma once

#include <functional>

#include "agent/health/probe_result.h"
#include "common/time/time.h"

namespace meshdns::probes {

using Done = std::function<void(health::ProbeResult)>;

/// One way to ask one endpoint whether it works. thread: the loop's
class Probe {
 public:
  virtual ~Probe() = default;
  /// done: once, later, unless the probe is destroyed before. It knows nothing of `late` and `after_event`.
  virtual void run(Duration timeout, Done done) = 0;
};

}  // namespace meshdns::probes
