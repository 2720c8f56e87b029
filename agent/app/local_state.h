#pragma once

#include <vector>

#include "agent/app/configuration.h"
#include "agent/app/drains.h"
#include "agent/app/monitor.h"
#include "agent/app/pushes.h"
#include "agent/app/sources.h"
#include "agent/probes/push_board.h"
#include "common/metrics/samples.h"
#include "common/time/time.h"
#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::agent::app {

/// What was said at this node: which endpoints there are, what is drained, how services are by their own word. The
/// parts keep it in state_dir over a restart.
/// thread: the loop's
struct LocalState {
  /// clock, timers: must outlive this
  /// sink: gets what Drains reports
  LocalState(const Clock& clock, Timers& timers, const Configuration& configuration, Monitor::Sink sink);

  /// Reads what earlier runs have kept. Call it before the first put() of drains.
  void load();
  /// Appends the parts' metrics.
  void collect(std::vector<metrics::Sample>& out) const;
  /// Adds the sources, drains and troubles to a status.
  void describe(v1::AgentStatus& out, TimePoint now) const;

  Sources sources;
  Drains drains;
  probes::PushBoard board;
  Pushes pushes;
};

}  // namespace meshdns::agent::app
