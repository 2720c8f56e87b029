#pragma once

#include <optional>

#include "agent/probes/probe.h"

namespace meshdns::probes {

/// Always a success, for an endpoint that others check. `timers` must outlive the probe.
class NoneProbe : public Probe {
 public:
  explicit NoneProbe(Timers& timers) : timers_(timers) {}
  ~NoneProbe() override;
  void run(Duration timeout, Done done) override;

 private:
  Timers& timers_;
  std::optional<TimerId> answer_;
};

}  // namespace meshdns::probes
