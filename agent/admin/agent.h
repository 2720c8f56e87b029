#pragma once

#include <cstdint>
#include <string>

#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::agent::admin {

/// The progress of withdrawing this node's records.
struct Leaving {
  enum class State : std::uint8_t { Waiting, Left, Failed };
  State state = State::Waiting;
  std::string text;  // for people: what was withdrawn from which federation, or why nothing was
};

/// The interface between a running agent and its HTTP ports; agent/app implements it.
/// thread: the loop's
class Agent {
 public:
  virtual ~Agent() = default;
  virtual v1::AgentStatus status() = 0;
  /// Returns why the agent is not ready: discovery is not read, or only partly, so that reports may lack endpoints.
  /// Empty = the agent is ready.
  virtual std::string unready() = 0;
  /// Returns the metrics in the Prometheus text format.
  virtual std::string metrics() = 0;
  /// Starts to withdraw this node's records at the first call; every call returns the progress. The process ends after
  /// the withdrawal.
  virtual Leaving leave() = 0;
};

}  // namespace meshdns::agent::admin
